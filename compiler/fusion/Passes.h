// SPDX-License-Identifier: Apache-2.0
// The fusion stage: gemma -> gemma. Declares its passes.
//   pm.addPass(createFuseAttention());
#ifndef GEMMAC_COMPILER_FUSION_PASSES_H
#define GEMMAC_COMPILER_FUSION_PASSES_H

#include <memory>

#include "mlir/Pass/Pass.h"

namespace gemmac::fusion {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/fusion/Passes.h.inc"

}  // namespace gemmac::fusion

#endif
