// SPDX-License-Identifier: Apache-2.0
// The packed layout: what was packed reads back as the checkpoint's values, bit
// for bit; and single bytes stand where the layout's text says.
#include "dialects/quantized/PackedLayout.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

using namespace gemmac::quantized;

namespace {

std::vector<uint8_t> randomBytes(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes) byte = uint8_t(random());
  return bytes;
}

// NaN equals NaN of any payload: which operand's payload survives a product is
// the host's choice.
bool sameBits(float a, float b) {
  if (std::isnan(a) && std::isnan(b)) return true;
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

void checkRowBlock(const WeightFormat &format,
                   const std::vector<uint8_t> &source, int64_t count,
                   int64_t columns) {
  int64_t stride = format.sourceBytes(1, columns);
  std::vector<uint8_t> packed(packedRowBlockBytes(format, columns), 0xa5);
  packRowBlock(format, source.data(), stride, count, columns, packed.data());
  std::vector<float> row(columns);
  for (int64_t lane = 0; lane < kRowLanes; ++lane) {
    if (lane < count)
      format.decodeReference(source.data() + lane * stride, columns,
                             row.data());
    for (int64_t k = 0; k < columns; ++k) {
      float got = decodePacked(format, packed.data(), lane, k, columns);
      if (lane < count)
        ASSERT_TRUE(sameBits(got, row[k]))
            << format.name().str() << " row " << lane << " column " << k
            << ": expected " << row[k] << ", found " << got;
      else
        ASSERT_EQ(got, 0.0f) << format.name().str() << " padding row " << lane;
    }
  }
}

TEST(PackedLayout, RandomRowsReadBackToTheBit) {
  for (const WeightFormat *format : allFormats())
    for (int64_t blocks : {1, 2, 5})
      for (int64_t count = 1; count <= kRowLanes; ++count) {
        int64_t columns = blocks * format->blockColumns();
        checkRowBlock(*format,
                      randomBytes(format->sourceBytes(count, columns),
                                  uint32_t(count * 8 + blocks)),
                      count, columns);
      }
}

TEST(PackedLayout, ExtremeBytesReadBack) {
  for (const WeightFormat *format : allFormats())
    for (uint8_t byte : {0x00, 0x01, 0x80, 0xff}) {
      int64_t columns = 2 * format->blockColumns();
      checkRowBlock(
          *format, std::vector<uint8_t>(format->sourceBytes(16, columns), byte),
          16, columns);
    }
}

TEST(PackedLayout, SizesFollowTheDescriptor) {
  struct Case {
    const char *format;
    int64_t superBlock;
  };
  for (Case expected :
       {Case{"q8_0", 32 + 512}, Case{"q4_0", 32 + 256}, Case{"q4_1", 64 + 256},
        Case{"q5_0", 32 + 320}, Case{"q5_1", 64 + 320},
        Case{"q4_k", 256 + 8 * 256}, Case{"q5_k", 256 + 8 * 320},
        Case{"q6_k", 32 + 256 + 8 * 384}}) {
    const WeightFormat *format = lookupFormat(expected.format);
    EXPECT_EQ(packedOffsets(*format->codes()).bytes, expected.superBlock)
        << expected.format;
    EXPECT_EQ(packedRowBlockBytes(*format, 3 * format->blockColumns()),
              3 * expected.superBlock);
    EXPECT_EQ(packedMatrixBytes(*format, 33, format->blockColumns()),
              3 * expected.superBlock);
  }
  EXPECT_EQ(packedMatrixBytes(*lookupFormat("bf16"), 17, 10), 2 * 16 * 10 * 2);
}

// Bits of a packed super-block of the one lane `lane`, by the layout's text.
struct Reader {
  const uint8_t *bytes;
  int64_t lane;
  int lowNibble(int64_t group, int k) const {
    int64_t at = group + k % 16 / 4 * 64 + lane * 4 + k % 4;
    return k < 16 ? bytes[at] & 15 : bytes[at] >> 4;
  }
};

// A row whose code of column k is known, in one lane only.
TEST(PackedLayout, FiveBitCodesStandWhereTheTextSays) {
  uint8_t source[22] = {0x00, 0x3c};  // d = 1
  for (int k = 0; k < 32; ++k) {      // code of column k is k
    source[6 + k % 16] |= (k & 15) << k / 16 * 4;
    source[2 + k / 8] |= (k >> 4) << k % 8;
  }
  std::vector<uint8_t> rows(16 * 22);
  std::copy_n(source, 22, rows.begin() + 5 * 22);
  uint8_t packed[32 + 320];
  packRowBlock(*lookupFormat("q5_0"), rows.data(), 22, 16, 32, packed);
  Reader reader{packed, 5};
  EXPECT_EQ(packed[10] | packed[11] << 8, 0x3c00);
  for (int k = 0; k < 32; ++k) {
    EXPECT_EQ(reader.lowNibble(32, k), k & 15);
    EXPECT_EQ(packed[32 + 256 + 5 * 4 + k % 4] >> k / 4 & 1, k >> 4);
  }
  for (int at = 32; at < 32 + 320; ++at)
    if ((at - 32) % 64 / 4 != 5) EXPECT_EQ(packed[at], 0) << at;
}

TEST(PackedLayout, EightBitCodesGainTheirZeroPoint) {
  std::vector<uint8_t> source(34);
  for (int k = 0; k < 32; ++k) source[2 + k] = uint8_t(4 * k - 64);
  uint8_t packed[32 + 512];
  packRowBlock(*lookupFormat("q8_0"), source.data(), 34, 1, 32, packed);
  for (int k = 0; k < 32; ++k)
    EXPECT_EQ(packed[32 + k / 4 * 64 + k % 4], 4 * k - 64 + 128);
}

TEST(PackedLayout, SixBitCodesStandWhereTheTextSays) {
  std::vector<uint8_t> source = randomBytes(210, 4);
  CodeBlock block;
  const WeightFormat &format = *lookupFormat("q6_k");
  format.parse(source.data(), block);
  uint8_t packed[288 + 8 * 384];
  packRowBlock(format, source.data(), 210, 1, 256, packed);
  Reader reader{packed, 0};
  for (int k = 0; k < 256; ++k) {
    int64_t group = 288 + k / 32 * 384;
    int in = k % 32, p = in / 16, b = in % 16 / 4;
    EXPECT_EQ(reader.lowNibble(group, in), block.codes[k] & 15);
    EXPECT_EQ(packed[group + 256 + p * 64 + in % 4] >> 2 * b & 3,
              block.codes[k] >> 4);
    EXPECT_EQ(packed[32 + k / 16 * 16], block.subScales[k / 16]);
  }
}

TEST(PackedLayout, SixBitScalesStandWhereTheTextSays) {
  for (const char *name : {"q4_k", "q5_k"}) {
    const WeightFormat &format = *lookupFormat(name);
    std::vector<uint8_t> source = randomBytes(format.blockBytes(), 6);
    CodeBlock block;
    format.parse(source.data(), block);
    std::vector<uint8_t> packed(packedRowBlockBytes(format, 256));
    packRowBlock(format, source.data(), format.blockBytes(), 1, 256,
                 packed.data());
    EXPECT_EQ(packed[32] | packed[33] << 8, block.minimum);
    for (int g = 0; g < 8; ++g) {
      uint8_t s = block.subScales[g], m = block.subMinimums[g];
      EXPECT_EQ(packed[64 + g * 16], (s & 15) | (m & 15) << 4);
      EXPECT_EQ(packed[64 + 128 + g / 2 * 16] >> g % 2 * 4 & 15,
                s >> 4 | m >> 4 << 2);
    }
  }
}

TEST(PackedLayout, FloatElementsStandColumnByColumn) {
  const WeightFormat &format = *lookupFormat("bf16");
  std::vector<uint8_t> source = randomBytes(3 * 10, 9), packed(16 * 5 * 2);
  packRowBlock(format, source.data(), 10, 3, 5, packed.data());
  for (int row = 0; row < 3; ++row)
    for (int at = 0; at < 10; ++at)
      EXPECT_EQ(packed[(at / 2 * 16 + row) * 2 + at % 2],
                source[row * 10 + at]);
}

}  // namespace
