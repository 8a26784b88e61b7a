// SPDX-License-Identifier: Apache-2.0
// The gemma dialect's C++ face: dialect and op classes.
#ifndef GEMMAC_DIALECTS_GEMMA_GEMMA_H
#define GEMMAC_DIALECTS_GEMMA_GEMMA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/quantized/Cost.h"
#include "dialects/quantized/Quantized.h"

#include "dialects/gemma/GemmaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/gemma/GemmaAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/gemma/GemmaOps.h.inc"

namespace gemmac::gemma {

// Attributes that the dialect gives to modules and functions.
inline constexpr llvm::StringLiteral kSources = "gemma.sources";
inline constexpr llvm::StringLiteral kLayerKind = "gemma.layer_kind";

}  // namespace gemmac::gemma

#endif
