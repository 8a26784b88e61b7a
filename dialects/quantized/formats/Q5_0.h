// SPDX-License-Identifier: Apache-2.0
// 5-bit codes, one f16 scale per 32 columns: d * (q - 16).
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q5_0_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q5_0_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &q5_0Format();

}  // namespace gemmac::quantized

#endif
