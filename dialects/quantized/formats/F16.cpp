// SPDX-License-Identifier: Apache-2.0
// IEEE f16, little-endian.
#include "dialects/quantized/formats/F16.h"

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

namespace {

class F16 : public WeightFormat {
 public:
  llvm::StringRef name() const override { return "f16"; }
  unsigned blockColumns() const override { return 1; }
  unsigned blockBytes() const override { return 2; }
  void decodeReference(const uint8_t *source, int64_t columns,
                       float *values) const override {
    for (int64_t k = 0; k < columns; ++k)
      values[k] = f16ToF32(loadU16(source + 2 * k));
  }
  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    for (int64_t k = 0; k < columns; ++k)
      storeU16(source + 2 * k, f32ToF16(values[k]));
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::f16Format() {
  static const F16 format;
  return format;
}
