// SPDX-License-Identifier: Apache-2.0
// IEEE f16, little-endian.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_F16_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_F16_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &f16Format();

}  // namespace gemmac::quantized

#endif
