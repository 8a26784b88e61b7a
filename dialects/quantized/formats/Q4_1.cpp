// SPDX-License-Identifier: Apache-2.0
// 4-bit codes, f16 scale and offset per 32 columns: d * q + m.
// Block of 20 bytes: f16 d, f16 m, 16 bytes of nibbles.
#include "dialects/quantized/formats/Q4_1.h"

#include "dialects/quantized/formats/CodeFormat.h"
#include "dialects/quantized/formats/ScaleSearch.h"

using namespace gemmac::quantized;

namespace {

class Q4_1 : public CodeFormat {
 public:
  Q4_1()
      : CodeFormat("q4_1", 20,
                   {.codeBits = 4,
                    .zeroPoint = 0,
                    .group = 32,
                    .superBlock = 32,
                    .scaleRule = ScaleRule::F16,
                    .hasMinimum = true}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    // The file adds its offset, the descriptor subtracts: flip the sign bit.
    block.minimum = loadU16(source + 2) ^ 0x8000;
    unpackNibbles(source + 4, block.codes);
  }

  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; k += 32, source += 20) {
      AffineBlock block;
      if (!spanAffine(values + k, 15, block)) return false;
      storeU16(source, block.scale);
      storeU16(source + 2, block.offset);
      packNibbles(block.codes, source + 4);
    }
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q4_1Format() {
  static const Q4_1 format;
  return format;
}
