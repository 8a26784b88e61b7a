// SPDX-License-Identifier: Apache-2.0
// See ScalarKernels.h. Compiled with -ffp-contract=off: fused where it says so.
#include "test/support/reference/ScalarKernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace gemmac::scalar {
namespace {

constexpr int64_t kLanes = 16, kBlock = 128;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float larger(float x, float y) { return x > y ? x : y; }

// Lane i with lane i + 8, then + 4, + 2, + 1.
template <typename Combine>
float tree(float *lanes, Combine combine) {
  for (int64_t half = kLanes / 2; half; half /= 2)
    for (int64_t i = 0; i < half; ++i)
      lanes[i] = combine(lanes[i], lanes[i + half]);
  return lanes[0];
}
float add(float x, float y) { return x + y; }

double horner(std::initializer_list<double> coefficients, double square) {
  double p = *coefficients.begin();
  for (const double *c = coefficients.begin() + 1; c != coefficients.end(); ++c)
    p = std::fma(p, square, *c);
  return p;
}

}  // namespace

float exp(float x) {
  x = x < 88.0f ? x : 88.0f;
  x = larger(x, -87.0f);
  float n = std::nearbyint(x * 1.44269504f);
  float r = std::fma(n, -0.693359375f, x);
  r = std::fma(n, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                  1.6666665459e-1f, 5.0000001201e-1f})
    p = std::fma(p, r, c);
  p = std::fma(p, r * r, r) + 1.0f;
  return p * std::ldexp(1.0f, int(n));
}

float tanh(float x) {
  float a = std::fabs(x), square = a * a;
  if (a >= 0.75f) return std::copysign(1.0f - 2.0f / (exp(a + a) + 1.0f), x);
  float p = 0x1.c8975p-10f;
  for (float c : {-0x1.f662fep-8f, 0x1.5f9082p-6f, -0x1.b98108p-5f,
                  0x1.110ddap-3f, -0x1.55554ap-2f})
    p = std::fma(p, square, c);
  return std::copysign(std::fma(a * square, p, a), x);
}

void sinCos(float angle, float &sine, float &cosine) {
  double x = angle;
  double n = std::fma(x, 0.63661977236758134, 0x1.8p52) - 0x1.8p52;
  double r = std::fma(n, -1.5707963267948966, x);
  r = std::fma(n, -6.123233995736766e-17, r);
  double square = r * r;
  double s = horner({1.6059043836821613e-10, -2.5052108385441720e-08,
                     2.7557319223985893e-06, -1.9841269841269841e-04,
                     8.3333333333333332e-03, -1.6666666666666666e-01},
                    square);
  s = std::fma(s * square, r, r);
  double c = horner({-1.1470745597729725e-11, 2.0876756987068099e-09,
                     -2.7557319223985888e-07, 2.4801587301587302e-05,
                     -1.3888888888888889e-03, 4.1666666666666664e-02, -0.5},
                    square);
  c = std::fma(c, square, 1.0);
  const double quarters[4][2] = {{s, c}, {c, -s}, {-s, -c}, {-c, s}};
  int64_t quadrant = int64_t(n) & 3;
  sine = float(quarters[quadrant][0]);
  cosine = float(quarters[quadrant][1]);
}

std::vector<float> rmsNorm(const std::vector<float> &x,
                           const std::vector<float> &gain, float eps,
                           float gainOffset) {
  float lanes[kLanes] = {};
  for (size_t i = 0; i < x.size(); ++i)
    lanes[i % kLanes] = std::fma(x[i], x[i], lanes[i % kLanes]);
  float mean = tree(lanes, add) / float(x.size());
  float r = 1.0f / std::sqrt(mean + eps);
  std::vector<float> y(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = x[i] * r * (gainOffset != 0 ? gain[i] + gainOffset : gain[i]);
  return y;
}

float geglu(float gate, float up) {
  float cube = gate * gate * gate;
  float u = std::fma(cube, 0.044715f, gate) * 0.79788456f;
  return gate / (1.0f + exp(u * -2.0f)) * up;
}

float softcap(float x, float cap) { return tanh(x / cap) * cap; }

std::vector<float> ropeAngles(int32_t position, int64_t width, double theta,
                              double factor) {
  std::vector<float> angles(width);
  for (int64_t i = 0; i < width / 2; ++i) {
    float frequency =
        float(std::pow(theta, -2.0 * double(i) / double(width)) / factor);
    sinCos(float(position) * frequency, angles[width / 2 + i], angles[i]);
  }
  return angles;
}

std::vector<float> rope(const std::vector<float> &x,
                        const std::vector<float> &angles) {
  size_t half = x.size() / 2;
  std::vector<float> y(x.size());
  for (size_t i = 0; i < half; ++i) {
    float low = x[i], high = x[half + i], c = angles[i], s = angles[half + i];
    y[i] = std::fma(low, c, -(high * s));
    y[half + i] = std::fma(high, c, low * s);
  }
  return y;
}

Codes quantize(const float *x) {
  float top = 0;
  for (int64_t i = 0; i < 32; ++i) top = larger(std::fabs(x[i]), top);
  Codes result;
  result.scale = top >= 0x1p-110f ? top / 127.0f : 0.0f;
  float inverse = top >= 0x1p-110f ? 1.0f / result.scale : 0.0f;
  for (int64_t i = 0; i < 32; ++i)
    result.codes[i] =
        std::clamp(int32_t(std::nearbyint(x[i] * inverse)), -127, 127);
  return result;
}

AttentionState attendBlock(const Attention &a, const float *query,
                           int64_t start, int64_t begin, int64_t end) {
  int64_t lo = std::max(start, begin), hi = std::min(start + kBlock, end);
  float scores[kBlock];
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, -kInfinity);
  for (int64_t p = lo; p < hi; ++p) {
    float dot = 0;
    for (int64_t e = 0; e < a.width; ++e)
      dot = std::fma(a.key(p)[e], query[e], dot);
    float s = dot * a.scale;
    if (a.softcap != 0) s = scalar::softcap(s, a.softcap);
    scores[p - start] = s;
    lanes[p % kLanes] = larger(s, lanes[p % kLanes]);
  }
  AttentionState state;
  state.max = tree(lanes, larger);
  std::fill(lanes, lanes + kLanes, 0.0f);
  state.acc.assign(a.width, 0.0f);
  for (int64_t p = lo; p < hi; ++p) {
    float weight = exp(scores[p - start] - state.max);
    lanes[p % kLanes] += weight;
    for (int64_t e = 0; e < a.width; ++e)
      state.acc[e] = std::fma(weight, a.value(p)[e], state.acc[e]);
  }
  state.sum = tree(lanes, add);
  return state;
}

AttentionState fold(const AttentionState &left, const AttentionState &right) {
  AttentionState both;
  both.max = larger(left.max, right.max);
  float keep = exp(left.max - both.max), enter = exp(right.max - both.max);
  both.sum = std::fma(left.sum, keep, right.sum * enter);
  both.acc.resize(left.acc.size());
  for (size_t e = 0; e < both.acc.size(); ++e)
    both.acc[e] = std::fma(left.acc[e], keep, right.acc[e] * enter);
  return both;
}

std::vector<float> attend(const Attention &a, const float *query, int64_t begin,
                          int64_t end) {
  int64_t start = begin / kBlock * kBlock;
  AttentionState state = attendBlock(a, query, start, begin, end);
  while ((start += kBlock) < end)
    state = fold(state, attendBlock(a, query, start, begin, end));
  for (float &v : state.acc) v /= state.sum;
  return state.acc;
}

}  // namespace gemmac::scalar
