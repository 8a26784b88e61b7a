// SPDX-License-Identifier: Apache-2.0
// The lowering stage: gemma + quantized -> kernel. Declares its passes.
//   pm.addPass(createOutlineLayers());
#ifndef GEMMAC_COMPILER_LOWERING_PASSES_H
#define GEMMAC_COMPILER_LOWERING_PASSES_H

#include <memory>
#include <string>

#include "mlir/Pass/Pass.h"

namespace gemmac::lowering {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/lowering/Passes.h.inc"

}  // namespace gemmac::lowering

#endif
