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

#include "dialects/quantized/QuantizedEnums.h"

#define GET_ATTRDEF_CLASSES
#include "dialects/quantized/QuantizedAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/quantized/QuantizedTypes.h.inc"

namespace gemmac::quantized {

// A static size that arithmetic on sizes may take: see Size in
// QuantizedDialect.td.
inline bool isSize(int64_t size) { return size > 0 && size <= INT32_MAX; }

// Refuses attributes without a dialect's prefix that the op does not declare.
mlir::LogicalResult verifyKnownAttributes(mlir::Operation *op);

template <typename Op>
class KnownAttributes : public mlir::OpTrait::TraitBase<Op, KnownAttributes> {
 public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return verifyKnownAttributes(op);
  }
};

}  // namespace gemmac::quantized

#define GET_OP_CLASSES
#include "dialects/quantized/QuantizedOps.h.inc"

namespace gemmac::quantized {

// Rows of a weight whose numbers f32 holds exactly: what arg_max can count.
inline constexpr int64_t kArgMaxRows = int64_t(1) << 24;

// Verifier of what gemma.linear and quantized.matmul share: constraints C1 to
// C3 and C5 of both; `name` begins the message.
mlir::LogicalResult verifyProducts(mlir::Operation *op, llvm::StringRef name,
                                   int64_t columns, EpilogueAttr epilogue,
                                   mlir::ValueRange weights,
                                   mlir::ValueRange results);

// Bytes of a weight of this type in the weights section: a matrix in blocks of
// 16 rows (PackedLayout.h), a vector as f32 elements in order.
int64_t packedBytes(TensorType type);

// Whether a gain and a norm, both there or none, belong to segments of
// `columns`.
bool isNorm(mlir::Value gain, NormAttr norm, int64_t columns);

// An epilogue as `base` with one part more; `base` may be null.
EpilogueAttr withGeglu(mlir::MLIRContext *context);
EpilogueAttr withSoftcap(mlir::FloatAttr cap, EpilogueAttr base);
EpilogueAttr withArgMax(mlir::MLIRContext *context, EpilogueAttr base);
EpilogueAttr withoutArgMax(EpilogueAttr base);

}  // namespace gemmac::quantized

#endif
