// SPDX-License-Identifier: Apache-2.0
// The portable target: see Portable.h.
#include "targets/portable/Portable.h"

#include "targets/cpu/CpuTarget.h"

namespace gemmac::targets {

const Target &portableTarget() {
  static const CpuTarget target(
      {"portable",
       "x86-64 without extensions; exact and slow",
       {"x86_64-unknown-linux-gnu", "x86-64", "", 128}});
  return target;
}

}  // namespace gemmac::targets
