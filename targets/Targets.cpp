// SPDX-License-Identifier: Apache-2.0
// The list of targets, best first: the only file that names them all.
#include "targets/Target.h"
#include "targets/portable/Portable.h"
#include "targets/x86/X86.h"

namespace gemmac::targets {

llvm::ArrayRef<const Target *> allTargets() {
  static const Target *const targets[] = {&x86AmxTarget(), &x86Avx512Target(),
                                          &x86Avx2Target(), &portableTarget()};
  return targets;
}

const Target *lookupTarget(llvm::StringRef name, std::string &error) {
  for (const Target *target : allTargets())
    if (name == "native" ? target->runsHere() : target->name() == name)
      return target;
  error = "unknown target '" + name.str() + "'; expected native";
  for (const Target *target : allTargets())
    error += ", " + target->name().str();
  return nullptr;
}

}  // namespace gemmac::targets
