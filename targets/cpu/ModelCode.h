// SPDX-License-Identifier: Apache-2.0
// What a compiled model exports: the constant gemma_model_<name> of ModelAbi.h
// with its entry points around the step functions, and the KV layer table that
// kernels read. Computes no size: kernel.model has them.
#ifndef GEMMAC_TARGETS_CPU_MODELCODE_H
#define GEMMAC_TARGETS_CPU_MODELCODE_H

#include <string>

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace gemmac::targets {

// Whose code it is.
struct CodeIdentity {
  std::string target;        // for messages of the executable
  uint64_t cpuFeatures = 0;  // GEMMA_CPU_*
};

// Of gemma_model_code: the function that shows the rate of 8-bit products, null
// where there is none, and its operations a round.
struct DotPeak {
  mlir::func::FuncOp kernel;
  int64_t operations = 0;
};

void emitModelCode(mlir::ModuleOp module, kernel::ModelOp model,
                   int64_t scratchBytes, const DotPeak &peak,
                   const CodeIdentity &identity);
// The table that kernels read; must exist before they are made.
void emitKvLayers(mlir::ModuleOp module, kernel::ModelOp model);

}  // namespace gemmac::targets

#endif
