// SPDX-License-Identifier: Apache-2.0
// From the kernel dialect to the LLVM dialect, and from there to bytes: what
// all CPU targets share.
#ifndef GEMMAC_TARGETS_CPU_CPUPIPELINE_H
#define GEMMAC_TARGETS_CPU_CPUPIPELINE_H

#include "targets/Target.h"

namespace gemmac::targets {

// The passes of the CPU target of that name.
void buildCpuLowering(mlir::OpPassManager &manager, llvm::StringRef target);
// Makes them known by name, so that a pipeline's text can be read back.
void registerCpuLoweringPasses();

// What the code generator is told of a machine.
struct Machine {
  const Architecture &architecture;
  std::string cpu;       // LLVM's name of the ISA level
  std::string features;  // "+avx512vnni"
  unsigned vectorBits;   // widest register to use
};
// Target::checkOptions of a machine.
llvm::Error checkCpuOptions(const Machine &machine, const CodeOptions &options);
mlir::FailureOr<llvm::SmallVector<char, 0>> emitCpuCode(
    mlir::ModuleOp module, const Machine &machine, Target::Output output,
    const CodeOptions &options);

}  // namespace gemmac::targets

#endif
