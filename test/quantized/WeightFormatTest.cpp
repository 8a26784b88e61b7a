// SPDX-License-Identifier: Apache-2.0
// Weight formats: values against golden blocks of PyPI gguf, defined results
// for extreme bytes, and the error bounds of the encoders.
#include "dialects/quantized/WeightFormat.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test/quantized/GgufGolden.h"

using namespace gemmac::quantized;

namespace {

std::vector<float> decode(const WeightFormat &format,
                          const std::vector<uint8_t> &bytes) {
  std::vector<float> values(bytes.size() / format.blockBytes() *
                            format.blockColumns());
  format.decodeReference(bytes.data(), int64_t(values.size()), values.data());
  return values;
}

std::vector<float> roundTrip(const WeightFormat &format,
                             const std::vector<float> &values) {
  std::vector<uint8_t> bytes(format.sourceBytes(1, int64_t(values.size())));
  EXPECT_TRUE(
      format.encode(values.data(), int64_t(values.size()), bytes.data()));
  return decode(format, bytes);
}

std::vector<float> gaussian(int count, float deviation) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float &value : values) value = normal(random);
  return values;
}

double meanSquaredError(const std::vector<float> &a,
                        const std::vector<float> &b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i)
    total += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return total / double(a.size());
}

TEST(WeightFormat, NamesAreUniqueAndFound) {
  EXPECT_EQ(allFormats().size(), 11u);
  for (const WeightFormat *format : allFormats())
    EXPECT_EQ(lookupFormat(format->name()), format);
  EXPECT_EQ(lookupFormat("q4_k_m"), nullptr);
  EXPECT_EQ(lookupFormat(""), nullptr);
}

TEST(WeightFormat, SourceBytesCountWholeBlocks) {
  EXPECT_EQ(lookupFormat("q5_0")->sourceBytes(1024, 640), 1024 * 20 * 22);
  EXPECT_EQ(lookupFormat("q6_k")->sourceBytes(3, 512), 3 * 2 * 210);
  EXPECT_EQ(lookupFormat("bf16")->sourceBytes(1, 7), 14);
}

TEST(WeightFormat, GoldenBlocksDecodeToTheBit) {
  for (const GgufGolden &golden : kGgufGolden) {
    const WeightFormat *format = lookupFormat(golden.format);
    ASSERT_TRUE(format) << golden.format;
    ASSERT_EQ(golden.block.size(), format->blockBytes());
    ASSERT_EQ(golden.values.size(), format->blockColumns());
    std::vector<float> values = decode(*format, golden.block.vec());
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(std::bit_cast<uint32_t>(values[i]), golden.values[i])
          << golden.format << " column " << i;
  }
}

TEST(WeightFormat, AllZeroBytesDecodeToZero) {
  for (const WeightFormat *format : allFormats())
    for (float value :
         decode(*format, std::vector<uint8_t>(2 * format->blockBytes())))
      EXPECT_EQ(value, 0.0f) << format->name().str();
}

// All-ones bytes are a NaN scale everywhere: no crash, no made-up number.
TEST(WeightFormat, NanScaleDecodesToNan) {
  for (const WeightFormat *format : allFormats())
    for (float value :
         decode(*format, std::vector<uint8_t>(format->blockBytes(), 255)))
      EXPECT_TRUE(std::isnan(value)) << format->name().str();
}

TEST(WeightFormat, InfiniteScaleIsInfiniteOrNan) {
  const WeightFormat *format = lookupFormat("q8_0");
  std::vector<uint8_t> block(34);
  block[1] = 0x7c;
  block[2] = 1;
  block[3] = 0xff;
  std::vector<float> values = decode(*format, block);
  EXPECT_EQ(values[0], INFINITY);
  EXPECT_EQ(values[1], -INFINITY);
  EXPECT_TRUE(std::isnan(values[2]));
}

// The smallest f16 scale is a subnormal; it must not be flushed.
TEST(WeightFormat, SubnormalScaleKeepsItsValue) {
  std::vector<uint8_t> block(34);
  block[0] = 1;
  block[2] = 3;
  EXPECT_EQ(decode(*lookupFormat("q8_0"), block)[0], 3 * 0x1p-24f);
}

TEST(WeightFormat, CodesStayBelowTheirBits) {
  std::mt19937 random(3);
  for (const WeightFormat *format : allFormats()) {
    if (format->isFloat()) continue;
    std::vector<uint8_t> bytes(format->blockBytes());
    for (uint8_t &byte : bytes) byte = uint8_t(random());
    CodeBlock block;
    format->parse(bytes.data(), block);
    for (unsigned i = 0; i < format->blockColumns(); ++i)
      EXPECT_LT(block.codes[i], 1u << format->codes()->codeBits);
    if (format->codes()->scaleRule == ScaleRule::F16Times6)
      for (int g = 0; g < 8; ++g) {
        EXPECT_LT(block.subScales[g], 64);
        EXPECT_LT(block.subMinimums[g], 64);
      }
  }
}

TEST(WeightFormat, EveryF16SurvivesTheWayThroughF32) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = f16ToF32(uint16_t(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f16ToF32(f32ToF16(value))));
    else
      EXPECT_EQ(f32ToF16(value), bits);
  }
}

TEST(WeightFormat, F16RoundsHalfToEven) {
  EXPECT_EQ(f32ToF16(1 + 0x1p-11f), 0x3c00);      // half: down to even
  EXPECT_EQ(f32ToF16(1 + 0x3p-11f), 0x3c02);      // half: up to even
  EXPECT_EQ(f32ToF16(1 + 0x1.002p-11f), 0x3c01);  // above half
  EXPECT_EQ(f32ToF16(65519.0f), 0x7bff);          // largest finite
  EXPECT_EQ(f32ToF16(65520.0f), 0x7c00);          // half way to 2^16
  EXPECT_EQ(f32ToF16(0x1p-25f), 0x0000);          // half of the smallest
  EXPECT_EQ(f32ToF16(0x1.000002p-25f), 0x0001);
  EXPECT_EQ(f32ToF16(-0x3p-25f), 0x8002);                // subnormal half: even
  EXPECT_EQ(f32ToF16(0x1.ffcp-15f + 0x1p-25f), 0x0400);  // into the normals
  EXPECT_EQ(f32ToF16(-INFINITY), 0xfc00);
}

TEST(WeightFormat, Bf16RoundsHalfToEven) {
  EXPECT_EQ(f32ToBf16(1 + 0x1p-8f), 0x3f80);
  EXPECT_EQ(f32ToBf16(1 + 0x3p-8f), 0x3f82);
  EXPECT_EQ(f32ToBf16(1 + 0x1.01p-8f), 0x3f81);
  EXPECT_EQ(f32ToBf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(f32ToBf16(0x1p-149f), 0x0000);
  EXPECT_EQ(f32ToBf16(-0x1p-133f), 0x8001);  // the smallest bf16 subnormal
  // A NaN whose payload lies only in the cut bits must not become infinite.
  EXPECT_TRUE(std::isnan(
      bf16ToF32(f32ToBf16(std::bit_cast<float>(uint32_t(0x7f800001))))));
}

TEST(WeightFormat, FloatFormatsRoundTripWithinHalfAnUlp) {
  std::vector<float> values = gaussian(1000, 0.05f);
  EXPECT_EQ(roundTrip(*lookupFormat("f32"), values), values);
  std::vector<float> f16 = roundTrip(*lookupFormat("f16"), values);
  std::vector<float> bf16 = roundTrip(*lookupFormat("bf16"), values);
  for (size_t i = 0; i < values.size(); ++i) {
    float magnitude = std::fabs(values[i]);
    EXPECT_LE(std::fabs(f16[i] - values[i]), magnitude * 0x1p-11f + 0x1p-25f);
    EXPECT_LE(std::fabs(bf16[i] - values[i]), magnitude * 0x1p-8f);
  }
}

// Half a code, plus what rounding the scale to f16 moves the largest code.
TEST(WeightFormat, Q8_0ErrorIsHalfACode) {
  std::vector<float> values = gaussian(320, 0.05f);
  std::vector<float> got = roundTrip(*lookupFormat("q8_0"), values);
  for (size_t block = 0; block < values.size(); block += 32) {
    float maximum = 0;
    for (size_t i = block; i < block + 32; ++i)
      maximum = std::max(maximum, std::fabs(values[i]));
    float bound = maximum / 127 * (0.5f + 127 * 0x1p-11f) * 1.0001f;
    for (size_t i = block; i < block + 32; ++i)
      EXPECT_LE(std::fabs(got[i] - values[i]), bound);
  }
}

// The absmax / -8 grid of ggml's reference is one of those that the search
// improves on: on Gaussian values by more than 5 %.
TEST(WeightFormat, Q4_0SearchBeatsTheAbsmaxGrid) {
  std::vector<float> values = gaussian(32 * 256, 0.03f);
  std::vector<float> plain(values.size());
  for (size_t block = 0; block < values.size(); block += 32) {
    float signedMaximum = 0;
    for (size_t i = block; i < block + 32; ++i)
      if (std::fabs(values[i]) > std::fabs(signedMaximum))
        signedMaximum = values[i];
    float d = signedMaximum / -8, inverse = 1 / d;
    for (size_t i = block; i < block + 32; ++i) {
      int code = std::min(15, int(values[i] * inverse + 8.5f));
      plain[i] = f16ToF32(f32ToF16(d)) * float(code - 8);
    }
  }
  double searched =
      meanSquaredError(roundTrip(*lookupFormat("q4_0"), values), values);
  EXPECT_LT(searched, 0.95 * meanSquaredError(plain, values));
}

TEST(WeightFormat, ErrorsOrderWithTheBits) {
  std::vector<float> values = gaussian(32 * 256, 0.03f);
  double previous = 1;
  for (const char *name : {"q4_0", "q5_0", "q8_0", "f16"}) {
    double error =
        meanSquaredError(roundTrip(*lookupFormat(name), values), values);
    EXPECT_LT(error, previous / 3) << name;
    previous = error;
  }
  EXPECT_LT(
      meanSquaredError(roundTrip(*lookupFormat("q5_1"), values), values),
      meanSquaredError(roundTrip(*lookupFormat("q4_1"), values), values) / 3);
}

// A grid's own values come back: encoding is idempotent.
TEST(WeightFormat, EncodedValuesEncodeToThemselves) {
  std::vector<float> values = gaussian(32 * 64, 0.03f);
  for (const char *name : {"q8_0", "q4_0", "q5_0"}) {
    std::vector<float> once = roundTrip(*lookupFormat(name), values);
    std::vector<float> twice = roundTrip(*lookupFormat(name), once);
    for (size_t i = 0; i < once.size(); ++i)
      EXPECT_NEAR(twice[i], once[i], std::fabs(once[i]) * 0x1p-10f) << name;
  }
}

TEST(WeightFormat, EncodersTakeZerosTinyAndLargeValues) {
  for (const WeightFormat *format : allFormats()) {
    std::vector<float> zeros(format->blockColumns());
    std::vector<uint8_t> bytes(format->blockBytes());
    if (!format->encode(zeros.data(), int64_t(zeros.size()), bytes.data()))
      continue;
    for (float value : decode(*format, bytes)) EXPECT_EQ(value, 0.0f);
    for (float size : {0x1p-149f, 0x1p-126f, 0x1p-40f, 0x1p-24f, 4e4f}) {
      std::vector<float> values(format->blockColumns(), size);
      for (float value : roundTrip(*format, values)) {
        EXPECT_TRUE(std::isfinite(value)) << format->name().str();
        EXPECT_NEAR(value, size, size * 0.07f + 0x1p-24f * 8)
            << format->name().str();
      }
    }
  }
}

TEST(WeightFormat, CodeEncodersRefuseWhatTheyCannotHold) {
  for (const char *name : {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1"})
    for (float bad : {NAN, INFINITY, -INFINITY, 3e38f}) {
      std::vector<float> values(32, 0.5f);
      values[17] = bad;
      uint8_t bytes[34];
      EXPECT_FALSE(lookupFormat(name)->encode(values.data(), 32, bytes))
          << name << " " << bad;
    }
}

TEST(WeightFormat, KFormatsAreNotMadeHere) {
  std::vector<float> values(256, 1.0f);
  uint8_t bytes[256];
  for (const char *name : {"q4_k", "q5_k", "q6_k"})
    EXPECT_FALSE(lookupFormat(name)->encode(values.data(), 256, bytes));
}

}  // namespace
