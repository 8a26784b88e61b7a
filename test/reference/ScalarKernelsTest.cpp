// SPDX-License-Identifier: Apache-2.0
// The scalar kernels of the exact order against libm in double: how far the
// elementary functions are from the truth, and attention in blocks from the
// textbook's.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"
#include "test/support/reference/FloatOps.h"
#include "test/support/reference/ScalarKernels.h"

namespace gemmac::reference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// |x - truth| in units of the last place of the f32 nearest to the truth.
double ulps(float x, double truth) {
  float nearest = std::fabs(float(truth));
  double unit = double(std::nextafter(nearest, kInfinity)) - nearest;
  return std::fabs(x - truth) / unit;
}

TEST(ScalarKernelsTest, ExpIsWithinOneUlp) {
  double worst = 0;
  for (float x = -87.0f; x <= 88.0f; x += 0.000317f)
    worst = std::max(worst, ulps(scalar::exp(x), std::exp(double(x))));
  EXPECT_LT(worst, 1);
  EXPECT_EQ(scalar::exp(0), 1);
}

TEST(ScalarKernelsTest, ExpStaysFiniteAndPositive) {
  EXPECT_EQ(scalar::exp(-1e9f), scalar::exp(-87));
  EXPECT_EQ(scalar::exp(-kInfinity), scalar::exp(-87));
  EXPECT_EQ(scalar::exp(1e9f), scalar::exp(88));
  EXPECT_GT(scalar::exp(-87), 0);
  EXPECT_LT(scalar::exp(88), kInfinity);
}

// Whatever the size of x; the two formulas meet at 0.75.
TEST(ScalarKernelsTest, TanhIsWithin2Ulp) {
  double worst = 0;
  auto see = [&](float x) {
    worst = std::max(worst, ulps(scalar::tanh(x), std::tanh(double(x))));
    ASSERT_EQ(scalar::tanh(-x), -scalar::tanh(x)) << x;
  };
  for (float x = 0x1p-149f; x < 100; x = std::nextafter(x * 1.00001f, 200.0f))
    see(x);
  for (float x = 0.7499f; x < 0.7501f; x = std::nextafter(x, 1.0f)) see(x);
  EXPECT_LT(worst, 1.1);
}

TEST(ScalarKernelsTest, TanhKeepsZerosInfinitiesAndNaN) {
  for (float x : {0.0f, 0x1p-149f, 0x1p-130f}) {
    EXPECT_EQ(std::bit_cast<uint32_t>(scalar::tanh(x)),
              std::bit_cast<uint32_t>(x));
    EXPECT_EQ(std::bit_cast<uint32_t>(scalar::tanh(-x)),
              std::bit_cast<uint32_t>(-x));
  }
  EXPECT_EQ(scalar::tanh(kInfinity), 1);
  EXPECT_EQ(scalar::tanh(-kInfinity), -1);
  EXPECT_EQ(scalar::tanh(3e38f), 1);
  EXPECT_TRUE(std::isnan(scalar::tanh(NAN)));
}

// Rounded once from a double that is within 1e-13 of the truth.
TEST(ScalarKernelsTest, SinesRoundOnceUpTo2To20) {
  for (float angle = 0; angle < 0x1p20f;
       angle = angle < 100 ? angle + 0.00117f : angle * 1.000171f) {
    for (float x : {angle, -angle}) {
      float sine, cosine;
      scalar::sinCos(x, sine, cosine);
      auto half = [](double truth) {
        float nearest = std::fabs(float(truth));
        return (double(std::nextafter(nearest, 2.0f)) - nearest) / 2;
      };
      double s = std::sin(double(x)), c = std::cos(double(x));
      ASSERT_NEAR(sine, s, half(s) + 1e-13) << x;
      ASSERT_NEAR(cosine, c, half(c) + 1e-13) << x;
    }
  }
}

// Three blocks, whole and partly seen; two query heads share one kv head.
TEST(ScalarKernelsTest, AttentionInBlocksIsAttention) {
  constexpr int64_t kRows = 300, kWidth = 24;
  unsigned state = 1;
  auto draw = [&](int64_t columns) {
    Tensor tensor({kRows, columns});
    for (float &x : tensor.values) {
      state = state * 1664525u + 1013904223u;
      x = float(int32_t(state)) * 0x1p-30f;  // in [-2, 2)
    }
    return tensor;
  };
  Tensor query = draw(2 * kWidth), key = draw(kWidth), value = draw(kWidth);
  std::vector<int32_t> positions(kRows);
  for (int64_t t = 0; t < kRows; ++t) positions[t] = int32_t(t);
  for (AttentionShape shape : {AttentionShape{kWidth, 0.5f, 0, 0},
                               AttentionShape{kWidth, 0.5f, 0, 150},
                               AttentionShape{kWidth, 0.5f, 3, 0},
                               AttentionShape{kWidth, 0.5f, 3, 7}}) {
    Tensor exact = exactOps().attention(query, key, value, positions, shape);
    Tensor truth = doubleOps().attention(query, key, value, positions, shape);
    for (size_t i = 0; i < exact.values.size(); ++i)
      ASSERT_NEAR(exact.values[i], truth.values[i], 4e-6)
          << "window " << shape.window << ", softcap " << shape.softcap;
  }
}

}  // namespace
}  // namespace gemmac::reference
