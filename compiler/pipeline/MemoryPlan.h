// SPDX-License-Identifier: Apache-2.0
// What a build would need at run time, without building: a module as the
// importer makes it -> sizes, by the passes that decide them. How large tiles
// and calls are is the target's to say: `options.target` is asked.
#ifndef GEMMAC_COMPILER_PIPELINE_MEMORYPLAN_H
#define GEMMAC_COMPILER_PIPELINE_MEMORYPLAN_H

#include "compiler/pipeline/BuildOptions.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::pipeline {

// In bytes, but for `context`, in positions.
struct MemoryPlan {
  int64_t context = 0;
  int64_t weights = 0;    // the executable's section, mapped
  int64_t arena = 0;      // activations, one a session
  int64_t kvToken = 0;    // a position of a session, in the full layers
  int64_t kvSliding = 0;  // the rings of the sliding layers, whole
  int64_t kvSession = 0;  // both, of a session with a full context
};

// Of `options` counts what is about weights, cache and rows. The module stays
// as it is. Failure: an error went to the context's diagnostics.
mlir::FailureOr<MemoryPlan> planMemory(mlir::ModuleOp module,
                                       const BuildOptions &options);

}  // namespace gemmac::pipeline

#endif
