// SPDX-License-Identifier: Apache-2.0
// Choice of scales for blocks of 32 values. Plain loops over 8 lanes, which the
// compiler turns into vectors at every -march; no libm (roundf is a call
// there).
#include "dialects/quantized/formats/ScaleSearch.h"

#include <algorithm>
#include <cmath>

#include "dialects/quantized/WeightFormat.h"

using namespace gemmac::quantized;

static constexpr int kLanes = 8;
static constexpr float kF16Max = 65504.0f;

float gemmac::quantized::absoluteMaximum(const float *values) {
  float maximum = 0;
  bool finite = true;
  for (int i = 0; i < 32; ++i) {
    finite &= std::isfinite(values[i]);
    maximum = std::max(maximum, std::fabs(values[i]));
  }
  return finite ? maximum : -1;
}

static float sum(const float (&lanes)[kLanes]) {
  float total = 0;
  for (float lane : lanes) total += lane;
  return total;
}

// Codes minus `half` as floats: values / scale to nearest, clamped.
static void round(const float *values, float inverse, float half,
                  float *codes) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: rounds half to even
  for (int i = 0; i < 32; ++i) {
    float code = std::clamp(values[i] * inverse, -half, half - 1);
    codes[i] = (code + magic) - magic;
  }
}

static float leastSquaresScale(const float *values, const float *codes) {
  float product[kLanes] = {}, square[kLanes] = {};
  for (int i = 0; i < 32; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) {
      float code = codes[i + lane];
      product[lane] += values[i + lane] * code;
      square[lane] += code * code;
    }
  float total = sum(square);
  return total > 0 ? sum(product) / total : 0;
}

static float squaredError(const float *values, const float *codes,
                          float scale) {
  float square[kLanes] = {};
  for (int i = 0; i < 32; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) {
      float error = values[i + lane] - scale * codes[i + lane];
      square[lane] += error * error;
    }
  return sum(square);
}

namespace {

// The best grid so far, for values scaled to absmax 1.
struct Best {
  float error = INFINITY;
  float scale = 0;
  float codes[32] = {};
};

}  // namespace

// Keeps `scale`, rounded to f16 after multiplying with `unit`, if its codes
// come closer than the best so far.
static void tryScale(const float *values, float half, float unit, float scale,
                     Best &best) {
  float rounded =
      std::clamp(f16ToF32(f32ToF16(scale * unit)), -kF16Max, kF16Max);
  float codes[32] = {};
  if (rounded != 0) round(values, unit / rounded, half, codes);
  float error = squaredError(values, codes, rounded / unit);
  if (!(error < best.error)) return;
  best.error = error;
  best.scale = rounded;
  std::copy_n(codes, 32, best.codes);
}

bool gemmac::quantized::searchSymmetric(const float *values, int half,
                                        SymmetricBlock &block) {
  float unit = absoluteMaximum(values);
  if (unit < 0 || unit > kF16Max * half) return false;
  block.scale = 0;
  std::fill_n(block.codes, 32, uint8_t(half));
  // Below 2^-24 times the largest code the smallest f16 scale gives zeros.
  if (unit < 0x1p-30f) return true;
  float normal[32];
  for (int i = 0; i < 32; ++i) normal[i] = values[i] / unit;
  Best best;
  // The largest value lands on code +-(half - 1) ... +-(half + 2): to clip it
  // a little often pays, since the other 31 get a finer grid.
  for (int step = 0; step <= 12; ++step)
    for (float sign : {-1.0f, 1.0f}) {
      float level = float(half - 1) + float(step) * 0.25f;
      float codes[32];
      round(normal, sign * level, float(half), codes);
      tryScale(normal, float(half), unit, leastSquaresScale(normal, codes),
               best);
    }
  block.scale = f32ToF16(best.scale);
  for (int i = 0; i < 32; ++i)
    block.codes[i] = uint8_t(int(best.codes[i]) + half);
  return true;
}

bool gemmac::quantized::spanAffine(const float *values, int top,
                                   AffineBlock &block) {
  float low = values[0], high = values[0];
  for (int i = 1; i < 32; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  float scale = (high - low) / float(top);
  if (absoluteMaximum(values) < 0 || !(scale <= kF16Max) ||
      !(std::fabs(low) <= kF16Max))
    return false;
  float inverse = scale != 0 ? 1 / scale : 0;
  if (!std::isfinite(inverse)) inverse = 0;
  block.scale = f32ToF16(scale);
  block.offset = f32ToF16(low);
  for (int i = 0; i < 32; ++i)
    block.codes[i] =
        uint8_t(std::min(int((values[i] - low) * inverse + 0.5f), top));
  return true;
}
