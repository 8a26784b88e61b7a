// SPDX-License-Identifier: Apache-2.0
// 4-bit codes, 6-bit scale and minimum per 32 columns, f16 factors per 256.
// Block of 144 bytes: f16 d, f16 dmin, 12 bytes of 6-bit scales and minimums,
// 128 bytes of nibbles (32 bytes hold two groups, the first in low nibbles).
#include "dialects/quantized/formats/Q4_K.h"

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

namespace {

class Q4_K : public CodeFormat {
 public:
  Q4_K()
      : CodeFormat("q4_k", 144,
                   {.codeBits = 4,
                    .zeroPoint = 0,
                    .group = 32,
                    .superBlock = 256,
                    .scaleRule = ScaleRule::F16Times6,
                    .hasMinimum = true}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    block.minimum = loadU16(source + 2);
    unpackSixBitScales(source + 4, block);
    const uint8_t *nibbles = source + 16;
    for (int k = 0; k < 256; ++k) {
      uint8_t byte = nibbles[k / 64 * 32 + k % 32];
      block.codes[k] = k % 64 < 32 ? byte & 15 : byte >> 4;
    }
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q4_kFormat() {
  static const Q4_K format;
  return format;
}
