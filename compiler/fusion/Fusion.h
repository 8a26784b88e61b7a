// SPDX-License-Identifier: Apache-2.0
// The fusion stage's pipeline: gemma -> gemma with fewer, larger ops.
//   buildFusionPipeline(manager, {"fuse-attention"});  // all but that one
#ifndef GEMMAC_COMPILER_FUSION_FUSION_H
#define GEMMAC_COMPILER_FUSION_FUSION_H

#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "mlir/Pass/PassManager.h"

namespace gemmac::fusion {

// Adds the stage's passes in order, but for those that `disabled` names by
// flag, with or without its "gemmac-".
void buildFusionPipeline(mlir::OpPassManager &manager,
                         llvm::ArrayRef<std::string> disabled = {});

}  // namespace gemmac::fusion

#endif
