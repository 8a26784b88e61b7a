// SPDX-License-Identifier: Apache-2.0
// One build: a checkpoint and what the user chose -> the file at `output`.
#ifndef GEMMAC_COMPILER_PIPELINE_PIPELINE_H
#define GEMMAC_COMPILER_PIPELINE_PIPELINE_H

#include <string>
#include <vector>

#include "compiler/output/Progress.h"
#include "compiler/pipeline/BuildOptions.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"

namespace gemmac::pipeline {

// What disabledPasses may name.
std::vector<std::string> optionalPasses();

// What printAfter may name: all passes up to the target's.
std::vector<std::string> allPasses();

// Loads the dialects that a build may meet.
void loadDialects(mlir::MLIRContext &context);

// Failure means that one error, at least, went to the context's diagnostics
// and that no file is left at `output`.
mlir::LogicalResult build(const BuildOptions &options,
                          mlir::MLIRContext &context,
                          output::Progress &progress);

}  // namespace gemmac::pipeline

#endif
