// SPDX-License-Identifier: Apache-2.0
// Emitter: see Emitter.h. Each function is one or two ops.
#include "targets/cpu/Emitter.h"

#include <cassert>
#include <numeric>

using namespace mlir;

namespace gemmac::targets {

static bool isFloat(Value x) {
  return isa<FloatType>(getElementTypeOrSelf(x.getType()));
}

#ifndef NDEBUG
static bool isPointer(Value x) {
  return isa<LLVM::LLVMPointerType>(x.getType());
}
static bool sameType(Value x, Value y) { return x.getType() == y.getType(); }
static int64_t elements(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.getNumElements() : 1;
}
static unsigned elementBits(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth();
}
#endif

Value Emitter::c64(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
}
Value Emitter::c32(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}
Value Emitter::cf(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}
Value Emitter::splatF(float value) {
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(vec(f32()), value));
}
Value Emitter::splatI(Type element, int64_t value, int64_t n) {
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(vec(element, n),
                             b.getIntegerAttr(element, value)));
}

Value Emitter::at(Value pointer, Value bytes) {
  assert(isPointer(pointer) && bytes.getType().isInteger(64) &&
         "an address is a pointer plus bytes in i64");
  return LLVM::GEPOp::create(b, loc, ptrType(), i8(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes},
                             LLVM::GEPNoWrapFlags::inbounds);
}
Value Emitter::at(Value pointer, int64_t bytes) {
  assert(isPointer(pointer) && "an address is a pointer plus bytes");
  assert(llvm::isInt<32>(bytes) && "a constant offset has 32 bits");
  if (bytes == 0) return pointer;
  return LLVM::GEPOp::create(b, loc, ptrType(), i8(), pointer,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)},
                             LLVM::GEPNoWrapFlags::inbounds);
}

static unsigned elementBytes(Type type) {
  type = getElementTypeOrSelf(type);
  return type.isIntOrFloat() ? (type.getIntOrFloatBitWidth() + 7) / 8 : 8;
}

Value Emitter::load(Type type, Value pointer) {
  assert(isPointer(pointer) && "what is loaded from is a pointer");
  return LLVM::LoadOp::create(b, loc, type, pointer, elementBytes(type));
}
void Emitter::prefetch(Value pointer) {
  LLVM::Prefetch::create(b, loc, pointer, /*rw=*/0, /*hint=*/2, /*cache=*/1);
}
void Emitter::store(Value value, Value pointer) {
  assert(isPointer(pointer) && "what is stored to is a pointer");
  LLVM::StoreOp::create(b, loc, value, pointer, elementBytes(value.getType()));
}

Value Emitter::loadLanes(Value pointer, int64_t count) {
  assert(count > 0 && count <= kLanes && "one to 16 lanes exist");
  if (count == kLanes) return load(vec(f32()), pointer);
  Value result = splatF(0);
  for (int64_t i = 0; i < count; ++i)
    result = vector::InsertOp::create(b, loc, load(f32(), pointer, i * 4),
                                      result, ArrayRef<int64_t>{i});
  return result;
}
void Emitter::storeLanes(Value value, Value pointer, int64_t count) {
  assert(count > 0 && count <= kLanes && "one to 16 lanes exist");
  assert(value.getType() == vec(f32()) && "lanes are 16 of f32");
  if (count == kLanes) return store(value, pointer);
  for (int64_t i = 0; i < count; ++i) store(lane(value, i), at(pointer, i * 4));
}

Value Emitter::compare(arith::CmpFPredicate predicate, Value x, Value y) {
  assert(sameType(x, y) && isFloat(x) && "floats of one type");
  return arith::CmpFOp::create(b, loc, predicate, x, y);
}

Value Emitter::laneNumbers() {
  SmallVector<int32_t> lanes(kLanes);
  std::iota(lanes.begin(), lanes.end(), 0);
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(vec(i32()), ArrayRef<int32_t>(lanes)));
}

Value Emitter::add(Value x, Value y) {
  assert(sameType(x, y) && "operands have one type");
  if (isFloat(x)) return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}
Value Emitter::sub(Value x, Value y) {
  assert(sameType(x, y) && "operands have one type");
  if (isFloat(x)) return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}
Value Emitter::mul(Value x, Value y) {
  assert(sameType(x, y) && "operands have one type");
  if (isFloat(x)) return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}
Value Emitter::div(Value x, Value y) {
  assert(sameType(x, y) && isFloat(x) && "floats of one type");
  return arith::DivFOp::create(b, loc, x, y);
}
Value Emitter::fma(Value x, Value y, Value z) {
  assert(sameType(x, y) && sameType(x, z) && isFloat(x) &&
         "floats of one type");
  return LLVM::FMAOp::create(b, loc, x, y, z);
}
Value Emitter::negate(Value x) { return arith::NegFOp::create(b, loc, x); }
Value Emitter::max(Value x, Value y) {
  Value more = compare(arith::CmpFPredicate::OGT, x, y);
  return select(more, x, y);
}
Value Emitter::min(Value x, Value y) {
  Value less = compare(arith::CmpFPredicate::OLT, x, y);
  return select(less, x, y);
}
Value Emitter::abs(Value x) {
  assert(x.getType() == vec(f32()) && "16 lanes of f32");
  Type integer = vec(i32());
  Value mask = splatI(i32(), 0x7fffffff);
  return bitcast(x.getType(), andI(bitcast(integer, x), mask));
}

Value Emitter::divC(Value x, int64_t divisor) {
  assert(divisor > 0 && x.getType().isInteger(64) && "i64 by a constant > 0");
  return arith::DivUIOp::create(b, loc, x, c64(divisor));
}
Value Emitter::remC(Value x, int64_t divisor) {
  assert(divisor > 0 && x.getType().isInteger(64) && "i64 by a constant > 0");
  return arith::RemUIOp::create(b, loc, x, c64(divisor));
}
Value Emitter::minI(Value x, Value y) {
  assert(sameType(x, y) && !isFloat(x) && "integers of one type");
  return arith::MinSIOp::create(b, loc, x, y);
}
Value Emitter::maxI(Value x, Value y) {
  assert(sameType(x, y) && !isFloat(x) && "integers of one type");
  return arith::MaxSIOp::create(b, loc, x, y);
}
Value Emitter::less(Value x, Value y) {
  assert(sameType(x, y) && !isFloat(x) && "integers of one type");
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}
Value Emitter::select(Value condition, Value x, Value y) {
  assert(sameType(x, y) && elementBits(condition.getType()) == 1 &&
         "one of two of a type, by bits");
  return arith::SelectOp::create(b, loc, condition, x, y);
}
Value Emitter::andI(Value x, Value y) {
  assert(sameType(x, y) && !isFloat(x) && "integers of one type");
  return arith::AndIOp::create(b, loc, x, y);
}
Value Emitter::orI(Value x, Value y) {
  assert(sameType(x, y) && !isFloat(x) && "integers of one type");
  return arith::OrIOp::create(b, loc, x, y);
}

static Value shiftAmount(Emitter &e, Value x, int64_t bits) {
  assert(bits > 0 && bits < elementBits(x.getType()) &&
         "a shift by less than the width");
  if (auto type = dyn_cast<VectorType>(x.getType()))
    return e.splatI(type.getElementType(), bits, type.getNumElements());
  return arith::ConstantOp::create(e.b, e.loc,
                                   e.b.getIntegerAttr(x.getType(), bits));
}
Value Emitter::shl(Value x, int64_t bits) {
  if (bits == 0) return x;
  return arith::ShLIOp::create(b, loc, x, shiftAmount(*this, x, bits));
}
Value Emitter::shr(Value x, int64_t bits) {
  if (bits == 0) return x;
  return arith::ShRUIOp::create(b, loc, x, shiftAmount(*this, x, bits));
}

Value Emitter::splat(Value scalar, int64_t n) {
  assert(scalar.getType().isIntOrFloat() && "a scalar becomes a vector");
  return vector::BroadcastOp::create(b, loc, vec(scalar.getType(), n), scalar);
}
Value Emitter::bitcast(Type type, Value value) {
  assert(elements(type) * elementBits(type) ==
             elements(value.getType()) * elementBits(value.getType()) &&
         "as many bits as before");
  return LLVM::BitcastOp::create(b, loc, type, value);
}

static Type withElement(Value like, Type element) {
  if (auto type = dyn_cast<VectorType>(like.getType()))
    return VectorType::get(type.getShape(), element);
  return element;
}
Value Emitter::toF32(Value integers) {
  return arith::SIToFPOp::create(b, loc, withElement(integers, f32()),
                                 integers);
}
Value Emitter::zeroExtend(Type type, Value value) {
  assert(elementBits(type) > elementBits(value.getType()) && "wider");
  return arith::ExtUIOp::create(b, loc, withElement(value, type), value);
}
Value Emitter::signExtend(Type type, Value value) {
  assert(elementBits(type) > elementBits(value.getType()) && "wider");
  return arith::ExtSIOp::create(b, loc, withElement(value, type), value);
}
Value Emitter::truncate(Type type, Value value) {
  assert(elementBits(type) < elementBits(value.getType()) && "narrower");
  return arith::TruncIOp::create(b, loc, withElement(value, type), value);
}
Value Emitter::fromIndex(Value index) {
  return arith::IndexCastOp::create(b, loc, i64(), index);
}

Value Emitter::lane(Value vector, int64_t i) {
  assert(i >= 0 && i < elements(vector.getType()) && "a lane that is there");
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{i});
}
Value Emitter::slice(Value vector, int64_t from, int64_t count) {
  assert(from >= 0 && count > 0 && from + count <= elements(vector.getType()) &&
         "lanes that are there");
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < count; ++i) mask.push_back(from + i);
  return vector::ShuffleOp::create(b, loc, vector, vector, mask);
}
Value Emitter::concat(Value low, Value high) {
  assert(sameType(low, high) && "two vectors of one type");
  int64_t n = cast<VectorType>(low.getType()).getNumElements();
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < 2 * n; ++i) mask.push_back(i);
  return vector::ShuffleOp::create(b, loc, low, high, mask);
}

Value Emitter::tree(Value vector, Combine combine) {
  assert(elements(vector.getType()) == kLanes && "the tree is of 16 lanes");
  for (int64_t half = kLanes / 2; half >= 1; half /= 2)
    vector = combine(slice(vector, 0, half), slice(vector, half, half));
  return lane(vector, 0);
}

Value Emitter::widenF16(Value bits16) {
  Type halves = withElement(bits16, b.getF16Type());
  return arith::ExtFOp::create(b, loc, withElement(bits16, f32()),
                               bitcast(halves, bits16));
}
Value Emitter::widenBf16(Value bits16) {
  return bitcast(withElement(bits16, f32()),
                 shl(zeroExtend(i32(), bits16), 16));
}
Value Emitter::loadWide(StringRef format, Value pointer) {
  assert((format == "f32" || format == "f16" || format == "bf16") &&
         "a format of floats");
  if (format == "f32") return load(vec(f32()), pointer);
  Value bits = load(vec(i16()), pointer);
  return format == "f16" ? widenF16(bits) : widenBf16(bits);
}

// Round half to even: add 0x7fff and the lowest kept bit, then cut. NaN stays
// NaN since a quiet bit is forced.
Value Emitter::narrowBf16(Value f32s) {
  assert(f32s.getType() == vec(f32()) && "16 lanes of f32");
  Value bits = bitcast(vec(i32()), f32s);
  Value odd = andI(shr(bits, 16), splatI(i32(), 1));
  Value rounded = shr(add(add(bits, splatI(i32(), 0x7fff)), odd), 16);
  Value quiet = orI(shr(bits, 16), splatI(i32(), 0x40));
  Value isNan =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, f32s, f32s);
  return truncate(i16(), select(isNan, quiet, rounded));
}

ValueRange Emitter::loop(Value from, Value to, int64_t step, ValueRange carried,
                         Body body) {
  assert(from.getType().isInteger(64) && sameType(from, to) && step > 0 &&
         "a loop counts up in i64");
  auto op = scf::ForOp::create(
      b, loc, from, to, c64(step), carried,
      [&](OpBuilder &inner, Location, Value i, ValueRange values) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(),
                            inner.getInsertionPoint());
        SmallVector<Value> next = body(i, values);
        assert(ValueRange(next).getTypes() == values.getTypes() &&
               "the body gives back what it carries");
        scf::YieldOp::create(b, loc, next);
      });
  return op.getResults();
}
void Emitter::loop(Value from, Value to, int64_t step,
                   function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}
void Emitter::lanes(int64_t n, function_ref<void(Value, int64_t)> body) {
  int64_t whole = n / kLanes * kLanes;
  if (whole)
    loop(c64(0), c64(whole * 4), kLanes * 4,
         [&](Value offset) { body(offset, kLanes); });
  if (n > whole) body(c64(whole * 4), n - whole);
}
void Emitter::when(Value condition, function_ref<void()> body,
                   function_ref<void()> otherwise) {
  assert(condition.getType().isInteger(1) && "one condition");
  auto op = scf::IfOp::create(b, loc, condition, bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  body();
  if (!otherwise) return;
  b.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

Value Emitter::intrinsic(StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

void Emitter::intrinsic(StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), operands);
}

}  // namespace gemmac::targets
