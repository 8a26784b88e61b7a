// SPDX-License-Identifier: Apache-2.0
// The target stage's own pass, for all CPU targets; Passes.td has its text.
//   pm.addPass(createLowerKernel({.target = "x86_64-avx2"}));
#ifndef GEMMAC_TARGETS_CPU_PASSES_H
#define GEMMAC_TARGETS_CPU_PASSES_H

#include <memory>
#include <string>

#include "mlir/Pass/Pass.h"

namespace gemmac::targets {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "targets/cpu/Passes.h.inc"

}  // namespace gemmac::targets

#endif
