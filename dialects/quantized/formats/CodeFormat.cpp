// SPDX-License-Identifier: Apache-2.0
// Decoding that all formats with integer codes share. Block layouts: ggml's
// ggml-common.h; 6-bit scales: get_scale_min_k4 of ggml-quants.c.
#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

// d and m of a group. Both are exact in f32: 11 bits by 6 or 8.
static float groupScale(const CodeDescriptor &descriptor,
                        const CodeBlock &block, unsigned group) {
  float d = f16ToF32(block.scale);
  switch (descriptor.scaleRule) {
    case ScaleRule::F16:
      return d;
    case ScaleRule::F16Times6:
      return d * float(block.subScales[group]);
    case ScaleRule::F16TimesS8:
      return d * float(int8_t(block.subScales[group]));
  }
}
static float groupMinimum(const CodeDescriptor &descriptor,
                          const CodeBlock &block, unsigned group) {
  float m = f16ToF32(block.minimum);
  if (descriptor.scaleRule != ScaleRule::F16Times6) return m;
  return m * float(block.subMinimums[group]);
}

float gemmac::quantized::codeValue(const CodeDescriptor &descriptor,
                                   const CodeBlock &block, unsigned column) {
  unsigned group = column / descriptor.group;
  float d = groupScale(descriptor, block, group);
  float value = d * float(int(block.codes[column]) - descriptor.zeroPoint);
  if (!descriptor.hasMinimum) return value;
  return value - groupMinimum(descriptor, block, group);
}

// codeValue of a whole block, the scales taken once a group.
static void decodeBlock(const CodeDescriptor &descriptor,
                        const CodeBlock &block, float *values) {
  for (unsigned k = 0; k < descriptor.superBlock; k += descriptor.group) {
    unsigned group = k / descriptor.group;
    float d = groupScale(descriptor, block, group);
    float m = 0;  // x - 0 is x, also for x = -0
    if (descriptor.hasMinimum) m = groupMinimum(descriptor, block, group);
    for (unsigned i = k; i < k + descriptor.group; ++i)
      values[i] = d * float(int(block.codes[i]) - descriptor.zeroPoint) - m;
  }
}

void CodeFormat::decodeReference(const uint8_t *source, int64_t columns,
                                 float *values) const {
  CodeBlock block;
  for (int64_t k = 0; k < columns; k += descriptor.superBlock) {
    parse(source, block);
    decodeBlock(descriptor, block, values + k);
    source += bytes;
  }
}

void gemmac::quantized::unpackNibbles(const uint8_t *nibbles, uint8_t *codes) {
  for (int i = 0; i < 16; ++i) {
    codes[i] = nibbles[i] & 15;
    codes[i + 16] = nibbles[i] >> 4;
  }
}

void gemmac::quantized::packNibbles(const uint8_t *codes, uint8_t *nibbles) {
  for (int i = 0; i < 16; ++i)
    nibbles[i] = uint8_t((codes[i] & 15) | codes[i + 16] << 4);
}

void gemmac::quantized::unpackFifthBits(const uint8_t *word, uint8_t *codes) {
  for (int i = 0; i < 32; ++i) codes[i] |= (word[i / 8] >> i % 8 & 1) << 4;
}

void gemmac::quantized::packFifthBits(const uint8_t *codes, uint8_t *word) {
  for (int i = 0; i < 4; ++i) word[i] = 0;
  for (int i = 0; i < 32; ++i) word[i / 8] |= (codes[i] >> 4 & 1) << i % 8;
}

void gemmac::quantized::unpackSixBitScales(const uint8_t *packed,
                                           CodeBlock &block) {
  for (int g = 0; g < 4; ++g) {
    block.subScales[g] = packed[g] & 63;
    block.subMinimums[g] = packed[g + 4] & 63;
    block.subScales[g + 4] = (packed[g + 8] & 15) | packed[g] >> 6 << 4;
    block.subMinimums[g + 4] = packed[g + 8] >> 4 | packed[g + 4] >> 6 << 4;
  }
}
