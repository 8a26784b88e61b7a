// SPDX-License-Identifier: Apache-2.0
// The quantized dialect's enumerations alone, for what needs no op.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDENUMS_H
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDENUMS_H

#include <cstdint>
#include <optional>

#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/StringRef.h"

#include "dialects/quantized/QuantizedEnums.h.inc"

#endif
