// SPDX-License-Identifier: Apache-2.0
// 5-bit codes, one f16 scale per 32 columns: d * (q - 16).
// Block of 22 bytes: f16 d, 4 bytes of fifth bits, 16 bytes of nibbles.
#include "dialects/quantized/formats/Q5_0.h"

#include "dialects/quantized/formats/CodeFormat.h"
#include "dialects/quantized/formats/ScaleSearch.h"

using namespace gemmac::quantized;

namespace {

class Q5_0 : public CodeFormat {
 public:
  Q5_0()
      : CodeFormat("q5_0", 22,
                   {.codeBits = 5,
                    .zeroPoint = 16,
                    .group = 32,
                    .superBlock = 32,
                    .scaleRule = ScaleRule::F16,
                    .hasMinimum = false}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    unpackNibbles(source + 6, block.codes);
    unpackFifthBits(source + 2, block.codes);
  }

  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; k += 32, source += 22) {
      SymmetricBlock block;
      if (!searchSymmetric(values + k, 16, block)) return false;
      storeU16(source, block.scale);
      packFifthBits(block.codes, source + 2);
      packNibbles(block.codes, source + 6);
    }
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q5_0Format() {
  static const Q5_0 format;
  return format;
}
