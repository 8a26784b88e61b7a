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
}
