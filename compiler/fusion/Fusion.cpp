// SPDX-License-Identifier: Apache-2.0
// The fusion stage's pipeline; see Fusion.h.
#include "compiler/fusion/Fusion.h"

#include "compiler/fusion/Passes.h"

using namespace mlir;

void gemmac::fusion::buildFusionPipeline(OpPassManager &manager,
                                         ArrayRef<std::string> disabled) {
  auto add = [&](std::unique_ptr<Pass> pass) {
    StringRef flag = pass->getArgument();
    StringRef name = flag;
    name.consume_front("gemmac-");
    if (!llvm::is_contained(disabled, flag) &&
        !llvm::is_contained(disabled, name))
      manager.addPass(std::move(pass));
  };
  add(createFuseAttention());
  add(createFuseRope());
  add(createFuseSoftcap());
  add(createFuseResidualNorm());
  // Takes gate and up before FuseQkv would join them for their input alone;
  // only then has a norm one reader.
  add(createFuseGatedMlp());
  add(createFuseQkv());
  add(createFuseNormIntoLinear());
  // Takes the head as the others leave it.
  add(createFuseHeadSampling());
}
