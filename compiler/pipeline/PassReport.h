// SPDX-License-Identifier: Apache-2.0
// --pass-report: what each fusion saves. Counts a module before and after every
// pass that it watches -> a table of phases, bytes and operations a decoded
// token. A model of the cost, not a measurement: `bench` measures.
#ifndef GEMMAC_COMPILER_PIPELINE_PASSREPORT_H
#define GEMMAC_COMPILER_PIPELINE_PASSREPORT_H

#include <string>
#include <vector>

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassInstrumentation.h"

namespace gemmac::pipeline {

// Of one token at position kReportDepth, all layers and the head together.
struct Cost {
  int64_t phases = 0;      // ops that wait for one another
  int64_t bytes = 0;       // weights, cache and rows, read and written
  int64_t operations = 0;  // a multiply-add is two
};
inline constexpr int64_t kReportDepth = 1024;

// Of a module in the gemma dialect, layers not yet outlined.
Cost costOf(mlir::ModuleOp module);

class PassReport : public mlir::PassInstrumentation {
 public:
  struct Entry {
    std::string pass;  // without its "gemmac-"
    Cost before, after;
  };
  // `entries` outlives the pass manager that owns this.
  explicit PassReport(std::vector<Entry> &entries) : entries(entries) {}
  void runBeforePass(mlir::Pass *pass, mlir::Operation *op) override;
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override;

 private:
  std::vector<Entry> &entries;
};

// The table as text.
std::string formatReport(llvm::ArrayRef<PassReport::Entry> entries);

}  // namespace gemmac::pipeline

#endif
