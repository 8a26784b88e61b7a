// SPDX-License-Identifier: Apache-2.0
// x86_64-avx2: AVX2, FMA and F16C, which is x86-64-v3 (Haswell, Zen and later).
#ifndef GEMMAC_TARGETS_X86_AVX2_H
#define GEMMAC_TARGETS_X86_AVX2_H

#include "targets/Target.h"

namespace gemmac::targets {
const Target &avx2Target();
}

#endif
