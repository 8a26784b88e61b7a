// SPDX-License-Identifier: Apache-2.0
// The bytes of one row of quantized activations, the twin of PackedLayout.h for
// weights: scheme and columns -> offsets. Emitted code, the interpreter and the
// tests all read rows by it. Knows no op and no target.
#ifndef GEMMAC_DIALECTS_QUANTIZED_ACTIVATIONLAYOUT_H
#define GEMMAC_DIALECTS_QUANTIZED_ACTIVATIONLAYOUT_H

#include <cstdint>

#include "dialects/quantized/QuantizedEnums.h"

namespace gemmac::quantized {

// With the scheme scale_per_32 a row of K columns is K codes (s8), K/32 scales
// (f32), K/32 sums of 32 codes (i32), K/16 sums of 16 codes (i32), padded to
// 64 bytes, so that every row starts a cache line.
struct ActivationLayout {
  explicit ActivationLayout(
      int64_t columns, ActivationScheme scheme = ActivationScheme::ScalePer32)
      : columns(columns), scheme(scheme) {}

  // Columns that share a scale.
  static constexpr int64_t kGroup = 32;

  int64_t groups() const { return columns / kGroup; }
  // Offsets of the first code, scale and sum.
  int64_t codes() const { return 0; }
  int64_t scales() const { return columns; }
  int64_t sums32() const { return scales() + groups() * 4; }
  int64_t sums16() const { return sums32() + groups() * 4; }
  int64_t rowBytes() const { return (sums16() + groups() * 8 + 63) / 64 * 64; }

  int64_t columns;
  ActivationScheme scheme;
};

}  // namespace gemmac::quantized

#endif
