// SPDX-License-Identifier: Apache-2.0
// 4-bit codes, one f16 scale per 32 columns: d * (q - 8).
// Block of 18 bytes: f16 d, 16 bytes of nibbles.
#include "dialects/quantized/formats/Q4_0.h"

#include "dialects/quantized/formats/CodeFormat.h"
#include "dialects/quantized/formats/ScaleSearch.h"

using namespace gemmac::quantized;

namespace {

class Q4_0 : public CodeFormat {
 public:
  Q4_0()
      : CodeFormat("q4_0", 18,
                   {.codeBits = 4,
                    .zeroPoint = 8,
                    .group = 32,
                    .superBlock = 32,
                    .scaleRule = ScaleRule::F16,
                    .hasMinimum = false}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    unpackNibbles(source + 2, block.codes);
  }

  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; k += 32, source += 18) {
      SymmetricBlock block;
      if (!searchSymmetric(values + k, 8, block)) return false;
      storeU16(source, block.scale);
      packNibbles(block.codes, source + 2);
    }
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q4_0Format() {
  static const Q4_0 format;
  return format;
}
