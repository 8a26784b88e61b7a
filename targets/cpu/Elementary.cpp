// SPDX-License-Identifier: Apache-2.0
// Elementary functions as fixed DAGs of fma, mul and integer ops: the same bits
// on every target (docs/numerics.md, point 3). 16 lanes of f32 in and out.
#include "targets/cpu/Emitter.h"

using namespace mlir;

namespace gemmac::targets {

// exp(x) = 2^n · e^r, n = rint(x·log2(e)), r = x − n·ln 2 in two parts, e^r by
// the degree-5 polynomial of Cephes on |r| ≤ ln(2)/2: below 2 ulp. x is clamped
// to [−87, 88], where 2^n stays normal: exp never returns 0 or infinity, and
// its users (softmax, gelu) cannot tell.
Value Emitter::exp(Value x) {
  x = max(min(x, splatF(88.0f)), splatF(-87.0f));
  Value magic = splatF(12582912.0f);  // 1.5 · 2^23: adding it rounds
  Value shifted = add(mul(x, splatF(1.44269504f)), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, splatF(-0.693359375f), x);
  r = fma(n, splatF(2.12194440e-4f), r);
  Value p = splatF(1.9875691500e-4f);
  for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                  1.6666665459e-1f, 5.0000001201e-1f})
    p = fma(p, r, splatF(c));
  p = add(fma(p, mul(r, r), r), splatF(1.0f));
  // The low bits of `shifted` hold n: its pattern is 0x4b400000 + n.
  Value exponent = shl(
      sub(bitcast(vec(i32()), shifted), splatI(i32(), 0x4b400000 - 127)), 23);
  return mul(p, bitcast(vec(f32()), exponent));
}

// tanh of a = |x|, under the sign of x. Below 0.75 it is a + a³·P(a²), which
// keeps small results relatively exact where 1 − 2 / (exp(2a) + 1), right
// above, would cancel. P is a minimax fit (Remez, 50 digits) of the relative
// error on [0, 0.75], 1.7e-9; its coefficients were rounded to f32 one by one
// from the lowest, the others being fitted anew each time. Over all f32 the
// error is below 0.75 ulp under 0.75 and below 1.06 ulp from there on. A NaN
// takes the polynomial and stays NaN.
Value Emitter::tanh(Value x) {
  Value a = abs(x), square = mul(a, a), one = splatF(1.0f);
  Value p = splatF(0x1.c8975p-10f);
  for (float c : {-0x1.f662fep-8f, 0x1.5f9082p-6f, -0x1.b98108p-5f,
                  0x1.110ddap-3f, -0x1.55554ap-2f})
    p = fma(p, square, splatF(c));
  Value low = fma(mul(a, square), p, a);
  Value high = sub(one, div(splatF(2.0f), add(exp(add(a, a)), one)));
  Value isHigh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, a,
                                       splatF(0.75f));
  // Neither has a sign of its own: -0 comes back as -0.
  Type bits = vec(i32());
  Value sign = andI(bitcast(bits, x), splatI(i32(), INT32_MIN));
  return bitcast(x.getType(),
                 orI(bitcast(bits, select(isHigh, high, low)), sign));
}

// Sine and cosine in double: reduction by π/2 in two parts is exact to 1e-13
// for |angle| < 2^20, and the Taylor polynomials to r^13 and r^14 on
// |r| ≤ π/4 err by less than 1e-13; one rounding to f32 at the end.
void Emitter::sinCos(Value angle, Value &sine, Value &cosine) {
  Type f64 = b.getF64Type();
  auto splatD = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(vec(f64), value));
  };
  Value x = arith::ExtFOp::create(b, loc, vec(f64), angle);
  Value magic = splatD(6755399441055744.0);  // 1.5 · 2^52
  Value shifted = fma(x, splatD(0.63661977236758134), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, splatD(-1.5707963267948966), x);
  r = fma(n, splatD(-6.123233995736766e-17), r);
  Value square = mul(r, r);
  auto horner = [&](std::initializer_list<double> coefficients) {
    Value p;
    for (double c : coefficients) p = p ? fma(p, square, splatD(c)) : splatD(c);
    return p;
  };
  Value s = horner({1.6059043836821613e-10, -2.5052108385441720e-08,
                    2.7557319223985893e-06, -1.9841269841269841e-04,
                    8.3333333333333332e-03, -1.6666666666666666e-01});
  s = fma(mul(s, square), r, r);
  Value c = horner({-1.1470745597729725e-11, 2.0876756987868099e-09,
                    -2.7557319223985888e-07, 2.4801587301587302e-05,
                    -1.3888888888888889e-03, 4.1666666666666664e-02, -0.5});
  c = fma(c, square, splatD(1.0));
  Value quadrant = truncate(i32(), bitcast(vec(i64()), shifted));
  auto bit = [&](Value value, int64_t which) -> Value {
    Value masked = andI(value, splatI(i32(), which));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, masked,
                                 splatI(i32(), 0));
  };
  Value swap = bit(quadrant, 1);
  Value sineD = select(swap, c, s), cosineD = select(swap, s, c);
  sineD = select(bit(quadrant, 2), negate(sineD), sineD);
  Value next = add(quadrant, splatI(i32(), 1));
  cosineD = select(bit(next, 2), negate(cosineD), cosineD);
  sine = arith::TruncFOp::create(b, loc, vec(f32()), sineD);
  cosine = arith::TruncFOp::create(b, loc, vec(f32()), cosineD);
}

}  // namespace gemmac::targets
