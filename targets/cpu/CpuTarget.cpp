// SPDX-License-Identifier: Apache-2.0
// See CpuTarget.h.
#include "targets/cpu/CpuTarget.h"

#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace gemmac::targets {

bool CpuTarget::runsHere() const {
  if (&facts.machine.architecture != hostArchitecture()) return false;
  auto features = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(facts.required, [&](StringRef feature) {
    return features.lookup(feature);
  });
}

llvm::Error CpuTarget::checkOptions(const CodeOptions &options) const {
  return checkCpuOptions(facts.machine, options);
}

void CpuTarget::buildLowering(OpPassManager &manager) const {
  buildCpuLowering(manager, facts.name);
}

FailureOr<SmallVector<char, 0>> CpuTarget::emit(
    ModuleOp module, Output output, const CodeOptions &options) const {
  return emitCpuCode(module, facts.machine, output, options);
}

}  // namespace gemmac::targets
