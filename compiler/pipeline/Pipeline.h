// SPDX-License-Identifier: Apache-2.0
// One build: a checkpoint and what the user chose -> the file at `output`.
#ifndef GEMMAC_COMPILER_PIPELINE_PIPELINE_H
#define GEMMAC_COMPILER_PIPELINE_PIPELINE_H

#include <map>
#include <string>
#include <vector>

#include "compiler/output/Progress.h"
#include "compiler/packaging/Package.h"
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

// What a build can say of its file.
struct Built {
  std::string target;  // "x86_64-avx2", never "native"
  // Of the weights in it; none where it holds no weights.
  std::map<std::string, packaging::StoredFormat> formats;
};

// Failure means that one error, at least, went to the context's diagnostics
// and that no file is left at `output`.
mlir::FailureOr<Built> build(const BuildOptions &options,
                             mlir::MLIRContext &context,
                             output::Progress &progress);

}  // namespace gemmac::pipeline

#endif
