// SPDX-License-Identifier: Apache-2.0
// The quantized dialect's C++ face: dialect, types and op classes.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZED_H
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZED_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/quantized/QuantizedDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/quantized/QuantizedTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/quantized/QuantizedOps.h.inc"

namespace gemmac::quantized {

// Rows of a weight whose numbers f32 holds exactly: what arg_max can count.
inline constexpr int64_t kArgMaxRows = int64_t(1) << 24;

// Verifier of what gemma.linear and quantized.matmul share: constraints C1 to
// C4 and C6 of both; `name` begins the message.
mlir::LogicalResult verifyProducts(mlir::Operation *op, llvm::StringRef name,
                                   int64_t columns, bool geglu,
                                   mlir::FloatAttr softcap, bool argMax,
                                   mlir::ValueRange weights,
                                   mlir::ValueRange results);

// Whether these are a root mean square norm of segments of `columns`.
bool isNorm(TensorType gain, int64_t columns, mlir::FloatAttr eps,
            mlir::FloatAttr offset);

}  // namespace gemmac::quantized

#endif
