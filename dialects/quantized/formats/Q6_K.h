// SPDX-License-Identifier: Apache-2.0
// 6-bit codes, s8 scale per 16 columns, f16 factor per 256.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q6_K_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q6_K_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &q6_kFormat();

}  // namespace gemmac::quantized

#endif
