// SPDX-License-Identifier: Apache-2.0
// 8-bit codes, one f16 scale per 32 columns: d * q, q in [-128, 127].
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q8_0_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q8_0_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &q8_0Format();

}  // namespace gemmac::quantized

#endif
