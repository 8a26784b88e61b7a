// SPDX-License-Identifier: Apache-2.0
// IEEE f32, little-endian.
#include "dialects/quantized/formats/F32.h"

#include <cstring>

using namespace gemmac::quantized;

namespace {

class F32 : public WeightFormat {
 public:
  llvm::StringRef name() const override { return "f32"; }
  unsigned blockColumns() const override { return 1; }
  unsigned blockBytes() const override { return 4; }
  void decodeReference(const uint8_t *source, int64_t columns,
                       float *values) const override {
    std::memcpy(values, source, columns * sizeof(float));
  }
  bool encode(const float *values, int64_t columns,
              uint8_t *source) const override {
    std::memcpy(source, values, columns * sizeof(float));
    return true;
  }
};

}  // namespace

const WeightFormat &gemmac::quantized::f32Format() {
  static const F32 format;
  return format;
}
