// SPDX-License-Identifier: Apache-2.0
// The table of the x86 targets: see X86.h.
#include "targets/x86/X86.h"

#include "targets/x86/Amx.h"
#include "targets/x86/Avx2.h"
#include "targets/x86/Avx512.h"

namespace gemmac::targets {

llvm::ArrayRef<const Target *> x86Targets() {
  static const Target *const targets[] = {&amxTarget(), &avx512Target(),
                                          &avx2Target()};
  return targets;
}

}  // namespace gemmac::targets
