// SPDX-License-Identifier: Apache-2.0
// The portable target: see Portable.h.
#include "targets/portable/Portable.h"

#include "targets/cpu/CpuTarget.h"

namespace gemmac::targets {

const Target &portableTarget() {
  // On a machine that gemmac builds nothing for, it still builds for others.
  static const Architecture &architecture =
      hostArchitecture() ? *hostArchitecture() : allArchitectures().front();
  static const std::string description =
      architecture.baseline.str() + " without extensions; exact and slow";
  static const CpuTarget target(
      {"portable",
       description,
       {architecture, architecture.baseline.str(), /*features=*/"",
        architecture.baselineVectorBits}});
  return target;
}

}  // namespace gemmac::targets
