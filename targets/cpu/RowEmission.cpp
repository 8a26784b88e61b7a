// SPDX-License-Identifier: Apache-2.0
// See RowEmission.h.
#include "targets/cpu/RowEmission.h"

#include <cassert>
#include <limits>

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

using namespace mlir;

namespace gemmac::targets {

std::string Norm::name() const {
  return "_norm" + std::to_string(columns) + "_" + floatBits(eps) + "_" +
         floatBits(offset);
}

Value emitNormFactor(Emitter &e, const Norm &norm, Value x) {
  int64_t n = norm.columns, whole = n / kLanes * kLanes;
  auto square = [&](Value sum, Value at, int64_t count) {
    Value v = e.loadLanes(at, count);
    return e.fma(v, v, sum);
  };
  Value sum = e.splatF(0);
  if (whole)
    sum = e.loop(e.c64(0), e.c64(whole * 4), kLanes * 4, {sum},
                 [&](Value at, ValueRange carried) -> SmallVector<Value> {
                   return {square(carried[0], e.at(x, at), kLanes)};
                 })[0];
  if (n > whole) sum = square(sum, e.at(x, whole * 4), n - whole);
  Value total = e.tree(sum, [&](Value a, Value b) { return e.add(a, b); });
  Value mean = e.div(total, e.cf(float(n)));
  Value root =
      LLVM::SqrtOp::create(e.b, e.loc, e.f32(), e.add(mean, e.cf(norm.eps)));
  return e.splat(e.div(e.cf(1.0f), root));
}

Value emitNormalised(Emitter &e, const Norm &norm, Value v, Value factor,
                     Value gain, Value bytes, int64_t count) {
  Value g = e.loadLanes(e.at(gain, bytes), count);
  if (norm.offset != 0) g = e.add(g, e.splatF(norm.offset));
  return e.mul(e.mul(v, factor), g);
}

void emitRotatedHead(Emitter &e, int64_t width, Value x, Value angles, Value y,
                     const std::optional<Norm> &norm, Value gain) {
  Value factor = norm ? emitNormFactor(e, *norm, x) : Value();
  e.lanes(width / 2, [&](Value at, int64_t count) {
    auto read = [&](Value bytes) {
      Value v = e.loadLanes(e.at(x, bytes), count);
      return norm ? emitNormalised(e, *norm, v, factor, gain, bytes, count) : v;
    };
    Value upper = e.add(at, e.c64(width * 2));
    Value lo = read(at), hi = read(upper);
    Value c = e.loadLanes(e.at(angles, at), count);
    Value s = e.loadLanes(e.at(angles, upper), count);
    e.storeLanes(e.fma(lo, c, e.negate(e.mul(hi, s))), e.at(y, at), count);
    e.storeLanes(e.fma(hi, c, e.mul(lo, s)), e.at(y, upper), count);
  });
}

// y = g / (1 + exp(−2u)) · up, u = √(2/π)·(g + 0.044715·g³).
Value emitGeglu(Emitter &e, Value gate, Value up) {
  Value cube = e.mul(e.mul(gate, gate), gate);
  Value inner = e.fma(cube, e.splatF(0.044715f), gate);
  Value u = e.mul(inner, e.splatF(0.79788456f));
  Value t = e.exp(e.mul(u, e.splatF(-2.0f)));
  return e.mul(e.div(gate, e.add(e.splatF(1.0f), t)), up);
}

Value emitSoftcap(Emitter &e, Value x, float cap) {
  return e.mul(e.tanh(e.div(x, e.splatF(cap))), e.splatF(cap));
}

void emitQuantizedGroup(Emitter &e, Value first, Value second, int64_t n,
                        Value out, Value g) {
  assert(n % 32 == 0 && "codes come in groups of 32");
  Value halves[] = {first, second};
  Value top = e.tree(e.max(e.abs(first), e.abs(second)),
                     [&](Value a, Value b) { return e.max(a, b); });
  Value enough = e.compare(arith::CmpFPredicate::OGE, top, e.cf(0x1p-110f));
  Value scale = e.select(enough, e.div(top, e.cf(127.0f)), e.cf(0));
  Value inverse = e.splat(e.select(enough, e.div(e.cf(1.0f), scale), e.cf(0)));
  Value sums[2];
  for (int64_t half = 0; half < 2; ++half) {
    // Adding 1.5 · 2^23 rounds to an integer.
    Value magic = e.splatF(12582912.0f);
    Value t = e.sub(e.add(e.mul(halves[half], inverse), magic), magic);
    t = e.max(e.min(t, e.splatF(127.0f)), e.splatF(-127.0f));
    Value q = arith::FPToSIOp::create(e.b, e.loc, e.vec(e.i32()), t);
    e.store(e.truncate(e.i8(), q), e.at(e.at(out, e.shl(g, 5)), 16 * half));
    sums[half] = e.tree(q, [&](Value a, Value b) { return e.add(a, b); });
    e.store(sums[half],
            e.at(e.at(out, quantized::ActivationLayout(n).sums16() + 4 * half),
                 e.shl(g, 3)));
  }
  e.store(scale, e.at(e.at(out, quantized::ActivationLayout(n).scales()),
                      e.shl(g, 2)));
  e.store(
      e.add(sums[0], sums[1]),
      e.at(e.at(out, quantized::ActivationLayout(n).sums32()), e.shl(g, 2)));
}

Candidate noCandidate(Emitter &e) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {e.cf(-kInfinity), e.cf(kInfinity)};
}

Candidate emitLarger(Emitter &e, Candidate best, Candidate challenger) {
  using Predicate = arith::CmpFPredicate;
  Value larger = e.compare(Predicate::OGT, challenger.number, best.number);
  Value equal = e.compare(Predicate::OEQ, challenger.number, best.number);
  Value lower = e.compare(Predicate::OLT, challenger.column, best.column);
  Value wins = e.orI(larger, e.andI(equal, lower));
  return {e.select(wins, challenger.number, best.number),
          e.select(wins, challenger.column, best.column)};
}

}  // namespace gemmac::targets
