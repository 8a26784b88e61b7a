// SPDX-License-Identifier: Apache-2.0
// What each phase of a lowered model reads and computes, for `bench --profile`:
// a module in the kernel dialect, weights placed -> JSON for the metadata. The
// phases of an entry point in the order in which it runs them, by kind: all
// layers' "gate_up" are one. Measures nothing.
#ifndef GEMMAC_COMPILER_PIPELINE_PHASERECORD_H
#define GEMMAC_COMPILER_PIPELINE_PHASERECORD_H

#include <nlohmann/json_fwd.hpp>

#include "mlir/IR/BuiltinOps.h"

namespace gemmac::pipeline {

// {"decode": {"kinds": […], "order": [indices of kinds]}, "batch": …, …}; the
// keys are docs/container.md's.
nlohmann::ordered_json recordPhases(mlir::ModuleOp module);

// Bytes of weights that one decoded token reads, its logits included.
int64_t weightBytesPerToken(const nlohmann::ordered_json &phases);

}  // namespace gemmac::pipeline

#endif
