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

// How lowering cuts work for a machine; the defaults are CPUs'. They decide who
// computes what and when, and change no bit of a result (docs/numerics.md).
struct Tiling {
  // Rows of a prefill that a matmul tile takes: a row block of weights is read
  // and unpacked once for all of them, while their codes, 1.5 K bytes a row,
  // stay in a second-level cache (K = 2048: 384 KiB).
  int64_t prefillChunkRows = 128;
  // Rows of a call of few rows: as many as one stream of weights serves from
  // registers (CpuKernels::tokensPerTile, 4 or 8), so that they cost hardly
  // more than one.
  int64_t batchRows = 8;
  // Rows of one call of the head, whose results are V floats each: 32 MiB at a
  // vocabulary of 262144.
  int64_t headRows = 32;
  // Tiles of one chunk of rows, at least, of a weight that has as many row
  // blocks: threads share them evenly.
  int64_t leastTiles = 64;
  // Row blocks (16 rows of the weight) of a tile, at most: a head of 262144
  // rows has 1024 tiles then, and claiming them stays below a thousandth of the
  // time.
  int64_t mostRowBlocks = 16;
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
  virtual Tiling tiling() const { return {}; }
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
