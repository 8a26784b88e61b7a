// SPDX-License-Identifier: Apache-2.0
// What a user may see and change between the stages: printed and dumped IR,
// remarks, names of passes, timing. Runs a pass pipeline; knows no stage but by
// its name.
#ifndef GEMMAC_COMPILER_PIPELINE_SEAMS_H
#define GEMMAC_COMPILER_PIPELINE_SEAMS_H

#include <functional>

#include "compiler/pipeline/BuildOptions.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"

namespace gemmac::pipeline {

// The error, if it is one, as a diagnostic without a place.
mlir::LogicalResult report(mlir::MLIRContext &context, llvm::Error error);

// The module as text that a parser takes back, names of weights and layers
// (locations) included.
std::string printModule(mlir::ModuleOp module);

// Text or bytes to options.output, or to standard output for "-".
llvm::Error writeOutput(const BuildOptions &options, llvm::StringRef bytes);

// The flags of a pipeline's passes, without their "gemmac-".
std::vector<std::string> passNames(mlir::OpPassManager &manager);

class Seams {
 public:
  Seams(const BuildOptions &options, mlir::MLIRContext &context);

  // Runs the pipeline over the module.
  mlir::LogicalResult run(
      mlir::ModuleOp module,
      const std::function<void(mlir::OpPassManager &)> &fill);

  // The same; --pass-report gets a line for each pass.
  mlir::LogicalResult runReported(
      mlir::ModuleOp module,
      const std::function<void(mlir::OpPassManager &)> &fill);

  // The seam behind `stage`: dumps where --dump-stages asks for it. True when
  // the build ends here, after printing.
  mlir::FailureOr<bool> stopsAfter(mlir::ModuleOp module, Stage stage);

 private:
  mlir::LogicalResult run(
      mlir::ModuleOp module,
      const std::function<void(mlir::OpPassManager &)> &fill,
      std::unique_ptr<mlir::PassInstrumentation> instrumentation);

  const BuildOptions &options;
  mlir::MLIRContext &context;
  mlir::DefaultTimingManager timing;
  mlir::TimingScope timingRoot;
};

}  // namespace gemmac::pipeline

#endif
