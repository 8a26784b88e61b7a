// SPDX-License-Identifier: Apache-2.0
// The quantization stage: gemma -> gemma + quantized. Declares its passes.
//   pm.addPass(createChooseFormats({.quant = "int8"}));
//   pm.addPass(createQuantizeActivations());
#ifndef GEMMAC_COMPILER_QUANTIZATION_PASSES_H
#define GEMMAC_COMPILER_QUANTIZATION_PASSES_H

#include <memory>
#include <string>

#include "mlir/Pass/Pass.h"

namespace gemmac::quantization {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/quantization/Passes.h.inc"

}  // namespace gemmac::quantization

#endif
