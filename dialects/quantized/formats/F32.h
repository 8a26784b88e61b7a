// SPDX-License-Identifier: Apache-2.0
// IEEE f32, little-endian.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_F32_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_F32_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

const WeightFormat &f32Format();

}  // namespace gemmac::quantized

#endif
