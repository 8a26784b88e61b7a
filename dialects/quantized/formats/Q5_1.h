// SPDX-License-Identifier: Apache-2.0
// 5-bit codes, f16 scale and offset per 32 columns: d * q + m.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q5_1_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_Q5_1_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &q5_1Format();

}  // namespace gemmac::quantized

#endif
