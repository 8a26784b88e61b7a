// SPDX-License-Identifier: Apache-2.0
// LowerKernel: kernel dialect -> func, scf, arith, vector and LLVM-dialect
// memory ops, for CPU targets. IR before:
//   kernel.phase %step tiles(%n) { ^bb0(%t: index): kernel.add_row … }
// after:
//   scf.while (t = gemma_next_tile(step, thread, n)) < n { call @add_640(…, t)
//   } call @gemma_phase_end(step, thread)
// and the exported gemma_model_<name>. Does not know an instruction set: that
// is CpuKernels.
#ifndef GEMMAC_TARGETS_CPU_LOWERKERNEL_H
#define GEMMAC_TARGETS_CPU_LOWERKERNEL_H

#include <memory>

#include "mlir/Pass/Pass.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

struct CodeIdentity {
  std::string target;        // for messages of the executable
  uint64_t cpuFeatures = 0;  // GEMMA_CPU_*
};

std::unique_ptr<mlir::Pass> createLowerKernelPass(const CpuKernels &cpu,
                                                  CodeIdentity identity);

// Of gemma_model_code: the function that shows the rate of 8-bit products, null
// where there is none, and its operations a round.
struct DotPeak {
  mlir::func::FuncOp kernel;
  int64_t operations = 0;
};

// Emits the gemma_model_<name> constant, the kv layer table and the exported
// entry points around the step functions (ModelCode.cpp).
void emitModelCode(mlir::ModuleOp module, kernel::ModelOp model,
                   int64_t scratchBytes, const DotPeak &peak,
                   const CodeIdentity &identity);
// The table that kernels read; must exist before they are made.
void emitKvLayers(mlir::ModuleOp module, kernel::ModelOp model);

}  // namespace gemmac::targets

#endif
