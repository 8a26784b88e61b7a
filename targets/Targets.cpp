// SPDX-License-Identifier: Apache-2.0
// The list of targets, best first: the only file that names them all.
#include "targets/Target.h"
#include "targets/portable/Portable.h"
#include "targets/x86/X86.h"

namespace gemmac::targets {

llvm::ArrayRef<const Target *> allTargets() {
  static const std::vector<const Target *> targets = [] {
    std::vector<const Target *> all = x86Targets().vec();
    all.push_back(&portableTarget());
    return all;
  }();
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
