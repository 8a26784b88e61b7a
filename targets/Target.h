// SPDX-License-Identifier: Apache-2.0
// A target: what is true of one kind of machine. The driver asks it for two
// things: the passes from the kernel dialect to its own IR, and bytes.
// A target never includes another; what two need stands in targets/cpu.
#ifndef GEMMAC_TARGETS_TARGET_H
#define GEMMAC_TARGETS_TARGET_H

#include <string>
#include <vector>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/LLVM.h"
#include "targets/Architecture.h"

namespace gemmac::targets {

// What a build chose beyond the target's name.
struct CodeOptions {
  std::string cpu;    // LLVM's name of the processor to tune for, or empty
  std::string mattr;  // "+x,-y"
  bool debugInfo = false;
};

class CpuTarget;

class Target {
 public:
  virtual ~Target() = default;
  // The same, when LowerKernel can lower for it; null for what is no CPU.
  virtual const CpuTarget *asCpu() const { return nullptr; }
  virtual llvm::StringRef name() const = 0;
  virtual llvm::StringRef description() const = 0;
  // What its executables run on, and are linked for.
  virtual const Architecture &architecture() const = 0;
  // True when this machine can run the target's code.
  virtual bool runsHere() const = 0;
  // Refuses a cpu or feature that is not known, and a feature beyond the
  // target's level: executables check at their start for the level alone.
  virtual llvm::Error checkOptions(const CodeOptions &options) const = 0;
  // kernel -> the LLVM dialect.
  virtual void buildLowering(mlir::OpPassManager &manager) const = 0;
  // The LLVM dialect -> a relocatable ELF object, assembly, or LLVM IR text.
  enum class Output { Object, Assembly, LlvmIr };
  virtual mlir::FailureOr<llvm::SmallVector<char, 0>> emit(
      mlir::ModuleOp module, Output output,
      const CodeOptions &options) const = 0;
};

// All targets, best first for the machine that we run on.
llvm::ArrayRef<const Target *> allTargets();
// The target of that name; "native" is the first one that runs here. Null and
// a message that lists the known names when there is none.
const Target *lookupTarget(llvm::StringRef name, std::string &error);

}  // namespace gemmac::targets

#endif
