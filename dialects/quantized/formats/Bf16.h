// SPDX-License-Identifier: Apache-2.0
// bfloat16, little-endian.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_BF16_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_BF16_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &bf16Format();

}  // namespace gemmac::quantized

#endif
