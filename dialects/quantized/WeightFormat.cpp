// SPDX-License-Identifier: Apache-2.0
// The registry of weight formats, and conversions between f32 and the two
// 16-bit floats. Bits only: the host's float unit takes no part, so subnormals
// come out the same whatever MXCSR says.
#include "dialects/quantized/WeightFormat.h"

#include <bit>

#include "dialects/quantized/formats/Bf16.h"
#include "dialects/quantized/formats/F16.h"
#include "dialects/quantized/formats/F32.h"
#include "dialects/quantized/formats/Q4_0.h"
#include "dialects/quantized/formats/Q4_1.h"
#include "dialects/quantized/formats/Q4_K.h"
#include "dialects/quantized/formats/Q5_0.h"
#include "dialects/quantized/formats/Q5_1.h"
#include "dialects/quantized/formats/Q5_K.h"
#include "dialects/quantized/formats/Q6_K.h"
#include "dialects/quantized/formats/Q8_0.h"

using namespace gemmac::quantized;

llvm::ArrayRef<const WeightFormat *> gemmac::quantized::allFormats() {
  static const WeightFormat *const formats[] = {
      &f32Format(),  &f16Format(),  &bf16Format(), &q8_0Format(),
      &q4_0Format(), &q4_1Format(), &q5_0Format(), &q5_1Format(),
      &q4_kFormat(), &q5_kFormat(), &q6_kFormat()};
  return formats;
}

const WeightFormat *gemmac::quantized::lookupFormat(llvm::StringRef name) {
  for (const WeightFormat *format : allFormats())
    if (format->name() == name) return format;
  return nullptr;
}

float gemmac::quantized::f16ToF32(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0x1f)
    return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent)
    return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  if (!fraction) return std::bit_cast<float>(sign);
  // Subnormal: every f16 subnormal is a normal f32, its leading bit implied.
  int shift = std::countl_zero(fraction) - 21;
  fraction = fraction << shift & 0x3ff;
  return std::bit_cast<float>(sign | uint32_t(113 - shift) << 23 |
                              fraction << 13);
}

// `value` >> `shift`, rounded half to even; 0 < shift < 32.
static uint32_t shiftRoundEven(uint32_t value, int shift) {
  uint32_t odd = value >> shift & 1;
  return (value + ((1u << (shift - 1)) - 1) + odd) >> shift;
}

uint16_t gemmac::quantized::f32ToF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)  // NaN stays NaN: quiet, upper payload kept.
    return uint16_t(sign | 0x7e00 | (magnitude >> 13 & 0x1ff));
  if (magnitude >= 0x47800000) return uint16_t(sign | 0x7c00);  // >= 2^16
  if (magnitude >= 0x38800000)  // Normal in f16; the carry may reach infinity.
    return uint16_t(sign | shiftRoundEven(magnitude - 0x38000000, 13));
  int exponent = int(magnitude >> 23);
  if (exponent < 102) return uint16_t(sign);  // below 2^-25: rounds to zero
  uint32_t fraction = (magnitude & 0x7fffff) | 0x800000;
  return uint16_t(sign | shiftRoundEven(fraction, 126 - exponent));
}

float gemmac::quantized::bf16ToF32(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

uint16_t gemmac::quantized::f32ToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
