// Gemma 3's text model as a graph of the gemma dialect. Input: a checkpoint.
// Output: into `module`, a `quantized.weight` for each tensor used and the
// function
//   @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>)
//       -> tensor<?xVxf32>
// Sizes are data: 270M and 27B come out of the same lines.
// Source: transformers 5, modeling_gemma3.py.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_GEMMA3_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_GEMMA3_H

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::importer {

llvm::Error buildGemma3(const Checkpoint &checkpoint, mlir::ModuleOp module);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_GEMMA3_H
