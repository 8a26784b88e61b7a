// SPDX-License-Identifier: Apache-2.0
// The kernels one scalar at a time, written from docs/numerics.md: what every
// target must give to the bit. Knows no IR, no vectors and no packed layouts.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_SCALARKERNELS_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_SCALARKERNELS_H

#include <cstdint>
#include <functional>
#include <vector>

namespace gemmac::scalar {

float exp(float x);
float tanh(float x);
// Of an angle with |angle| < 2^20.
void sinCos(float angle, float &sine, float &cosine);

// One segment x[n].
std::vector<float> rmsNorm(const std::vector<float> &x,
                           const std::vector<float> &gain, float eps,
                           float gainOffset);
float geglu(float gate, float up);
float softcap(float x, float cap);
// [E] cosines and sines of one position.
std::vector<float> ropeAngles(int32_t position, int64_t width, double theta,
                              double factor);
// One head x[E].
std::vector<float> rope(const std::vector<float> &x,
                        const std::vector<float> &angles);

// 32 columns of a quantised row.
struct Codes {
  int32_t codes[32];
  float scale;
};
Codes quantize(const float *x);

// One query head over the positions [begin, end) of its kv head.
struct Attention {
  int64_t width;
  float scale, softcap;
  // [E] of one position, as the cache holds it.
  std::function<const float *(int64_t position)> key, value;
};
struct AttentionState {
  float max, sum;
  std::vector<float> acc;
};
// The block of 128 positions that starts at `start`.
AttentionState attendBlock(const Attention &a, const float *query,
                           int64_t start, int64_t begin, int64_t end);
AttentionState fold(const AttentionState &left, const AttentionState &right);
std::vector<float> attend(const Attention &a, const float *query, int64_t begin,
                          int64_t end);

}  // namespace gemmac::scalar

#endif
