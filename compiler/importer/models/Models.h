// SPDX-License-Identifier: Apache-2.0
// One function an architecture: a checkpoint of it -> its graph and its weights
// in `module`, as TextModel.h says. The error names the tensor that is missing,
// of another shape or too many.
// Source: transformers 5, modeling_{gemma,gemma2,gemma3}.py.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_MODELS_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_MODELS_H

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::importer {

llvm::Error buildGemma1(const Checkpoint &checkpoint, mlir::ModuleOp module);
llvm::Error buildGemma2(const Checkpoint &checkpoint, mlir::ModuleOp module);
llvm::Error buildGemma3(const Checkpoint &checkpoint, mlir::ModuleOp module);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_MODELS_H
