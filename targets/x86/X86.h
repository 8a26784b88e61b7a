// SPDX-License-Identifier: Apache-2.0
// The x86 targets. One level an executable; its start-up check refuses a lesser
// machine. Each level is a file of its own.
#ifndef GEMMAC_TARGETS_X86_X86_H
#define GEMMAC_TARGETS_X86_X86_H

#include "targets/Target.h"

namespace gemmac::targets {
// Best first.
llvm::ArrayRef<const Target *> x86Targets();
}  // namespace gemmac::targets

#endif
