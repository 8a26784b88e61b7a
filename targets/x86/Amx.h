// SPDX-License-Identifier: Apache-2.0
// x86_64-amx: AVX-512 with VNNI, and AMX INT8 for chunks of many rows (Sapphire
// Rapids and later).
#ifndef GEMMAC_TARGETS_X86_AMX_H
#define GEMMAC_TARGETS_X86_AMX_H

#include "targets/Target.h"

namespace gemmac::targets {
const Target &amxTarget();
}

#endif
