// SPDX-License-Identifier: Apache-2.0
// 8-bit codes, one f16 scale per 32 columns: d * q, q in [-128, 127].
// Block of 34 bytes: f16 d, 32 x s8.
#include "dialects/quantized/formats/Q8_0.h"

#include <cmath>

#include "dialects/quantized/formats/CodeFormat.h"
#include "dialects/quantized/formats/ScaleSearch.h"

using namespace gemmac::quantized;

namespace {

class Q8_0 : public CodeFormat {
 public:
  Q8_0()
      : CodeFormat("q8_0", 34,
                   {.codeBits = 8,
                    .zeroPoint = 128,
                    .group = 32,
                    .superBlock = 32,
                    .scaleRule = ScaleRule::F16,
                    .hasMinimum = false}) {}

  void parse(const uint8_t *source, CodeBlock &block) const override {
    block.scale = loadU16(source);
    // Stored as two's complement; the packed code is q + 128.
    for (int i = 0; i < 32; ++i) block.codes[i] = source[2 + i] ^ 0x80;
  }

  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; k += 32, source += 34)
      if (!encodeBlock(values + k, source)) return false;
    return true;
  }

 private:
  // ggml's quantize_row_q8_0_ref: codes from the unrounded scale, halves away
  // from zero. False if a value is not finite or the scale no f16.
  static bool encodeBlock(const float *values, uint8_t *source) {
    float maximum = absoluteMaximum(values);
    float scale = maximum / 127;
    if (maximum < 0 || scale > 65504) return false;
    float inverse = scale > 0x1p-126f ? 1 / scale : 0;
    storeU16(source, f32ToF16(scale));
    for (int i = 0; i < 32; ++i) {
      float x = values[i] * inverse, magnitude = std::fabs(x);
      int code = int(magnitude);
      code += magnitude - float(code) >= 0.5f;
      source[2 + i] = uint8_t(x < 0 ? -code : code);
    }
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::q8_0Format() {
  static const Q8_0 format;
  return format;
}
