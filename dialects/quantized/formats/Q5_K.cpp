// SPDX-License-Identifier: Apache-2.0
// 5-bit codes, 6-bit scale and minimum per 32 columns, f16 factors per 256.
// Block of 176 bytes: f16 d, f16 dmin, 12 bytes of 6-bit scales and minimums,
// 32 bytes of fifth bits (bit g for group g), 128 bytes of nibbles.
#include "dialects/quantized/formats/Q5_K.h"

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

namespace {

class Q5_K : public CodeFormat {
 public:
  Q5_K()
      : CodeFormat("q5_k", 176,
                   {.codeBits = 5,
                    .zeroPoint = 0,
                    .group = 32,
                    .superBlock = 256,
                    .scaleRule = ScaleRule::F16Times6,
                    .hasMinimum = true}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    block.minimum = loadU16(source + 2);
    unpackSixBitScales(source + 4, block);
    const uint8_t *fifth = source + 16, *nibbles = source + 48;
    for (int k = 0; k < 256; ++k) {
      uint8_t byte = nibbles[k / 64 * 32 + k % 32];
      uint8_t high = fifth[k % 32] >> k / 32 & 1;
      block.codes[k] = (k % 64 < 32 ? byte & 15 : byte >> 4) | high << 4;
    }
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q5_kFormat() {
  static const Q5_K format;
  return format;
}
