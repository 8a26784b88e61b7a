// SPDX-License-Identifier: Apache-2.0
// x86 targets: AVX-512 with VNNI and AMX, AVX-512 with VNNI, and AVX2
// (x86-64-v3). One level an executable; its start-up check refuses a lesser
// machine.
#ifndef GEMMAC_TARGETS_X86_X86_H
#define GEMMAC_TARGETS_X86_X86_H

#include "targets/Target.h"

namespace gemmac::targets {
const Target &x86AmxTarget();
const Target &x86Avx512Target();
const Target &x86Avx2Target();
}  // namespace gemmac::targets

#endif
