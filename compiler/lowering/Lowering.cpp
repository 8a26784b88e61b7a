// SPDX-License-Identifier: Apache-2.0
// The lowering stage's pipeline; see Lowering.h.
#include "compiler/lowering/Lowering.h"

#include "compiler/lowering/Passes.h"

using namespace mlir;

void gemmac::lowering::buildLoweringPipeline(OpPassManager &manager,
                                             const Options &options) {
  manager.addPass(createOutlineLayers());
  PlanKvCacheOptions cache;
  cache.kvFormat = options.kvFormat;
  cache.prefillRows = options.prefillRows;
  cache.ctxSize = options.contextSize;
  manager.addPass(createPlanKvCache(cache));
  LowerToKernelOptions kernel;
  kernel.prefillRows = options.prefillRows;
  kernel.batchRows = options.batchRows;
  kernel.headRows = options.headRows;
  kernel.prefillChunkRows = options.prefillChunkRows;
  kernel.leastTiles = options.leastTiles;
  kernel.mostRowBlocks = options.mostRowBlocks;
  kernel.kernelName = options.name;
  manager.addPass(createLowerToKernel(kernel));
  manager.addPass(createQuantizeTiles());
  manager.addPass(createPlanPhases());
  manager.addPass(createPlanBuffers());
  manager.addPass(createPlanWeights());
}
