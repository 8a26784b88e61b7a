// SPDX-License-Identifier: Apache-2.0
// The lowering stage's pipeline: gemma + quantized -> kernel.
//   lowering::buildLoweringPipeline(manager, {.contextSize = 4096});
#ifndef GEMMAC_COMPILER_LOWERING_LOWERING_H
#define GEMMAC_COMPILER_LOWERING_LOWERING_H

#include <cstdint>
#include <string>

#include "mlir/Pass/PassManager.h"

namespace gemmac::lowering {

struct Options {
  int64_t prefillRows = 512;       // rows of the largest call
  int64_t batchRows = 8;           // rows of a call of few rows
  int64_t headRows = 32;           // rows of logits of one call
  int64_t prefillChunkRows = 128;  // rows of a matmul tile in prefill
  int64_t leastTiles = 64;         // of a matmul's chunk, for all threads
  int64_t mostRowBlocks = 16;      // of a matmul tile
  std::string kvFormat = "bf16";   // or "f32"
  int64_t contextSize = 0;         // positions of a session; 0: the model's
  std::string name = "model";      // the export is gemma_model_<name>
};

// Adds the stage's passes, in order.
void buildLoweringPipeline(mlir::OpPassManager &manager,
                           const Options &options);

}  // namespace gemmac::lowering

#endif
