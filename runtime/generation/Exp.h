// SPDX-License-Identifier: Apache-2.0
// exp(x) in double as one fixed sequence of IEEE multiplications and additions:
// the same bits on every machine, where libm's choose by processor. Argument
// x <= 0 is meant; relative error below 4e-16 for x in [-708, 0], and 0 below.
// Method: x = k ln 2 + r, |r| <= ln 2 / 2, Taylor series to r^13, times 2^k.
#ifndef GEMMA_RUNTIME_GENERATION_EXP_H
#define GEMMA_RUNTIME_GENERATION_EXP_H

#include <bit>
#include <cstdint>

namespace gemma {

inline double exactExp(double x) {
  // ln 2 in two parts; the first has 32 bits, so that k times it is exact.
  constexpr double kLn2High = 0x1.62e42feep-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
  // Adding it rounds to an integer, which the sum's low bits then hold.
  constexpr double kRound = 0x1.8p52;
  bool tooSmall = !(x > -708.0);
  double clamped = tooSmall ? -708.0 : (x > 709.0 ? 709.0 : x);
  double shifted = clamped * kInverseLn2 + kRound;
  double k = shifted - kRound;
  double r = (clamped - k * kLn2High) - k * kLn2Low;
  double sum = 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  // k in [-1021, 1023]; the low bits of `shifted` are k in two's complement.
  uint64_t exponent = (std::bit_cast<uint64_t>(shifted) + 1023) << 52;
  double power = std::bit_cast<double>(exponent);
  return tooSmall ? 0.0 : sum * power;
}

// Likewise in float: relative error below 3e-7 for x in [-87, 0], and 0 below
// and for a NaN. Taylor series to r^6.
inline float exactExpf(float x) {
  constexpr float kLn2High = 0x1.62e4p-1f;  // 15 bits
  constexpr float kLn2Low = 0x1.7f7d1cp-20f;
  constexpr float kInverseLn2 = 0x1.715476p+0f;
  constexpr float kRound = 0x1.8p23f;
  bool tooSmall = !(x > -87.0f);
  float clamped = tooSmall ? -87.0f : x;
  float shifted = clamped * kInverseLn2 + kRound;
  float k = shifted - kRound;
  float r = (clamped - k * kLn2High) - k * kLn2Low;
  float sum = 1.0f / 720.0f;
  sum = sum * r + 1.0f / 120.0f;
  sum = sum * r + 1.0f / 24.0f;
  sum = sum * r + 1.0f / 6.0f;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127) << 23;
  return tooSmall ? 0.0f : sum * std::bit_cast<float>(exponent);
}

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_EXP_H
