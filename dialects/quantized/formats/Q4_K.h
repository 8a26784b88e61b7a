// SPDX-License-Identifier: Apache-2.0
// 4-bit codes, 6-bit scale and minimum per 32 columns, f16 factors per 256.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q4_K_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q4_K_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &q4_kFormat();

}  // namespace gemmac::quantized

#endif
