// SPDX-License-Identifier: Apache-2.0
// Emitter: a small vocabulary over OpBuilder for writing kernel bodies. All
// arithmetic of the kernels is 16 lanes wide (docs/numerics.md); LLVM splits
// lanes to the machine's registers. Addresses are pointers plus byte offsets
// in i64. Emits arith, vector, scf and LLVM-dialect memory ops; knows no
// target. A wrong type or bound would be wrong code, and MLIR's own checks of
// its builders are not in every build of it: ours are asserts.
#ifndef GEMMAC_TARGETS_CPU_EMITTER_H
#define GEMMAC_TARGETS_CPU_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace gemmac::targets {

inline constexpr int64_t kLanes = 16;

class Emitter {
 public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  // Types.
  mlir::Type f32() { return b.getF32Type(); }
  mlir::Type i8() { return b.getI8Type(); }
  mlir::Type i16() { return b.getI16Type(); }
  mlir::Type i32() { return b.getI32Type(); }
  mlir::Type i64() { return b.getI64Type(); }
  mlir::Type ptrType() {
    return mlir::LLVM::LLVMPointerType::get(b.getContext());
  }
  mlir::VectorType vec(mlir::Type element, int64_t n = kLanes) {
    return mlir::VectorType::get({n}, element);
  }

  // Constants, scalar and splat.
  mlir::Value c64(int64_t value);
  mlir::Value c32(int64_t value);
  mlir::Value cf(float value);
  mlir::Value splatF(float value);
  mlir::Value splatI(mlir::Type element, int64_t value, int64_t n = kLanes);
  mlir::Value laneNumbers();  // i32: 0, 1, … 15

  // Memory. Loads and stores assume only the element's own alignment.
  mlir::Value at(mlir::Value pointer, mlir::Value bytes);
  mlir::Value at(mlir::Value pointer, int64_t bytes);
  // Into the second-level cache; of any address.
  void prefetch(mlir::Value pointer);
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  mlir::Value load(mlir::Type type, mlir::Value pointer, int64_t bytes) {
    return load(type, at(pointer, bytes));
  }
  void store(mlir::Value value, mlir::Value pointer);
  // 16 lanes of f32 of which only `count` exist in memory; the rest are zero
  // (load) or not written (store).
  mlir::Value loadLanes(mlir::Value pointer, int64_t count);
  void storeLanes(mlir::Value value, mlir::Value pointer, int64_t count);

  // Arithmetic on scalars or vectors of one type.
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value negate(mlir::Value x);
  // The larger of two numbers; y when x is NaN.
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value abs(mlir::Value x);
  // Integers; floor division of non-negative numbers by a positive constant.
  mlir::Value divC(mlir::Value x, int64_t divisor);
  mlir::Value remC(mlir::Value x, int64_t divisor);
  mlir::Value minI(mlir::Value x, mlir::Value y);
  mlir::Value maxI(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y);
  // Of floats.
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value x,
                      mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value andI(mlir::Value x, mlir::Value y);
  mlir::Value orI(mlir::Value x, mlir::Value y);
  mlir::Value shl(mlir::Value x, int64_t bits);
  mlir::Value shr(mlir::Value x, int64_t bits);  // logical

  // Conversions and lanes.
  mlir::Value splat(mlir::Value scalar, int64_t n = kLanes);
  mlir::Value bitcast(mlir::Type type, mlir::Value value);
  mlir::Value toF32(mlir::Value integers);  // signed
  mlir::Value zeroExtend(mlir::Type type, mlir::Value value);
  mlir::Value signExtend(mlir::Type type, mlir::Value value);
  mlir::Value truncate(mlir::Type type, mlir::Value value);
  mlir::Value fromIndex(mlir::Value index);
  mlir::Value lane(mlir::Value vector, int64_t i);
  mlir::Value slice(mlir::Value vector, int64_t from, int64_t count);
  mlir::Value concat(mlir::Value low, mlir::Value high);
  // The fixed tree of numerics.md: lane i with i + 8, then 4, 2, 1.
  using Combine = llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)>;
  mlir::Value tree(mlir::Value vector, Combine combine);

  // Widening loads of 16 elements: f16, bf16 or f32 in memory, f32 out.
  mlir::Value widenF16(mlir::Value bits16);
  mlir::Value widenBf16(mlir::Value bits16);
  mlir::Value loadWide(llvm::StringRef format, mlir::Value pointer);
  // f32 -> bf16 bits, round half to even, in integer arithmetic.
  mlir::Value narrowBf16(mlir::Value f32s);

  // for i in [from, to) by step, carrying values.
  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;
  mlir::ValueRange loop(mlir::Value from, mlir::Value to, int64_t step,
                        mlir::ValueRange carried, Body body);
  void loop(mlir::Value from, mlir::Value to, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  // body(offset in bytes, lanes) over n floats: whole vectors in a loop, then
  // the tail.
  void lanes(int64_t n, llvm::function_ref<void(mlir::Value, int64_t)> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body,
            llvm::function_ref<void()> otherwise = nullptr);

  mlir::Value intrinsic(llvm::StringRef name, mlir::Type result,
                        mlir::ValueRange operands);
  // One without a result.
  void intrinsic(llvm::StringRef name, mlir::ValueRange operands);

  // Elementary functions (Elementary.cpp), fixed DAGs on 16 lanes of f32.
  mlir::Value exp(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  void sinCos(mlir::Value angle, mlir::Value &sine, mlir::Value &cosine);
};

}  // namespace gemmac::targets

#endif
