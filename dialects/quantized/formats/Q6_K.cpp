// SPDX-License-Identifier: Apache-2.0
// 6-bit codes, s8 scale per 16 columns, f16 factor per 256.
// Block of 210 bytes: 128 bytes of low nibbles, 64 bytes of high bit pairs,
// 16 x s8 scales, f16 d. Each half of 128 columns: four runs of 32.
#include "dialects/quantized/formats/Q6_K.h"

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

namespace {

class Q6_K : public CodeFormat {
 public:
  Q6_K()
      : CodeFormat("q6_k", 210,
                   {.codeBits = 6,
                    .zeroPoint = 32,
                    .group = 16,
                    .superBlock = 256,
                    .scaleRule = ScaleRule::F16TimesS8,
                    .hasMinimum = false}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    const uint8_t *scales = source + 192;
    block.scale = loadU16(source + 208);
    for (int g = 0; g < 16; ++g) block.subScales[g] = scales[g];
    for (int k = 0; k < 256; ++k) {
      int half = k / 128, quarter = k % 128 / 32, i = k % 32;
      uint8_t low = source[64 * half + 32 * (quarter & 1) + i];
      uint8_t high = source[128 + 32 * half + i] >> 2 * quarter & 3;
      block.codes[k] = (quarter < 2 ? low & 15 : low >> 4) | high << 4;
    }
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q6_kFormat() {
  static const Q6_K format;
  return format;
}
