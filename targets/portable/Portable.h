// SPDX-License-Identifier: Apache-2.0
// The portable target: this machine's architecture at its baseline, no ISA
// extension. Runs anywhere; the folder to copy for a new CPU target.
#ifndef GEMMAC_TARGETS_PORTABLE_PORTABLE_H
#define GEMMAC_TARGETS_PORTABLE_PORTABLE_H

#include "targets/Target.h"

namespace gemmac::targets {
const Target &portableTarget();
}

#endif
