// SPDX-License-Identifier: Apache-2.0
// Values -> codes for blocks of 32: what the encoders of the formats share.
// Does not know how a block is stored.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_SCALESEARCH_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_SCALESEARCH_H

#include <cstdint>

namespace gemmac::quantized {

// value = scale * (code - half), codes in [0, 2 * half).
struct SymmetricBlock {
  uint16_t scale;  // f16 bits
  uint8_t codes[32];
};
// The scale, of either sign, that minimises the squared error among 26
// grids, each refitted by least squares. False if a value is not finite or
// beyond what an f16 scale reaches.
bool searchSymmetric(const float *values, int half, SymmetricBlock &block);

// value = scale * code + offset, codes in [0, top].
struct AffineBlock {
  uint16_t scale, offset;  // f16 bits
  uint8_t codes[32];
};
// Spans the values' range, as ggml's reference quantisers of Q4_1 and Q5_1 do.
bool spanAffine(const float *values, int top, AffineBlock &block);

// absmax of 32 values, or -1 if one is not finite.
float absoluteMaximum(const float *values);

}  // namespace gemmac::quantized

#endif
