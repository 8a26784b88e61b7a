// SPDX-License-Identifier: Apache-2.0
// MLIR's diagnostics as lines on stderr: `error: …` for the first error, then
// `note: …` for all that follows from it, `warning: …` and `remark: …` as they
// are. Names of tensors and layers come from the diagnostics' locations.
#ifndef GEMMAC_COMPILER_TOOLS_GEMMAC_DIAGNOSTICS_H
#define GEMMAC_COMPILER_TOOLS_GEMMAC_DIAGNOSTICS_H

#include "compiler/output/Progress.h"
#include "mlir/IR/Diagnostics.h"

namespace gemmac::driver {

class DiagnosticPrinter : public mlir::ScopedDiagnosticHandler {
 public:
  // Remarks are shown when `isVerbose`.
  DiagnosticPrinter(mlir::MLIRContext &context, output::Progress &progress,
                    bool isVerbose);

  bool hasError() const { return errors > 0; }

 private:
  void print(mlir::Diagnostic &diagnostic);

  output::Progress &progress;
  bool isVerbose;
  int errors = 0;
};

}  // namespace gemmac::driver

#endif
