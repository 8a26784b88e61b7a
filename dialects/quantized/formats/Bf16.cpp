// SPDX-License-Identifier: Apache-2.0
// bfloat16, little-endian.
#include "dialects/quantized/formats/Bf16.h"

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

namespace {

class Bf16 : public WeightFormat {
 public:
  llvm::StringRef name() const override { return "bf16"; }
  unsigned blockColumns() const override { return 1; }
  unsigned blockBytes() const override { return 2; }
  void decodeReference(const uint8_t *source, int64_t columns,
                       float *values) const override {
    for (int64_t k = 0; k < columns; ++k)
      values[k] = bf16ToF32(loadU16(source + 2 * k));
  }
  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; ++k)
      storeU16(source + 2 * k, f32ToBf16(values[k]));
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::bf16Format() {
  static const Bf16 format;
  return format;
}
