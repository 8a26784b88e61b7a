// SPDX-License-Identifier: Apache-2.0
// See PassReport.h.
#include "compiler/pipeline/PassReport.h"

#include "dialects/quantized/Cost.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace gemmac::pipeline {

// A token's share of a value: its row, or its scores of all positions seen.
static int64_t elements(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) return 0;
  int64_t count = tensor.getRank() == 3 ? kReportDepth : 1;
  for (int64_t size : tensor.getShape())
    if (!ShapedType::isDynamic(size)) count *= size;
  return count;
}

// Rows in and out at four bytes, weights as they are packed.
static int64_t bytesOf(quantized::CostOpInterface op) {
  int64_t bytes = 0;
  for (Type type : op->getOperandTypes()) bytes += 4 * elements(type);
  for (const quantized::WeightUse &use : op.getWeightUses()) {
    auto type = cast<quantized::TensorType>(use.weight.getType());
    bytes += quantized::packedBytes(type) / (use.oneRow ? type.rows() : 1);
  }
  for (Type type :
       llvm::drop_begin(op->getResultTypes(), op.getUnwrittenResults()))
    bytes += 4 * elements(type);
  return bytes;
}

Cost costOf(ModuleOp module) {
  Cost cost;
  module.walk([&](quantized::CostOpInterface op) {
    ++cost.phases;
    cost.bytes += bytesOf(op);
    cost.operations += op.getRowOperations();
    std::optional<quantized::CacheUse> use = op.getCacheUse();
    if (!use) return;
    int64_t seen =
        use->window ? std::min(use->window, kReportDepth) : kReportDepth;
    cost.bytes += seen * use->bytes;
    cost.operations += seen * use->operations;
  });
  return cost;
}

void PassReport::runBeforePass(Pass *pass, Operation *op) {
  if (auto module = dyn_cast<ModuleOp>(op)) {
    StringRef name = pass->getArgument();
    name.consume_front("gemmac-");
    entries.push_back({name.str(), costOf(module), {}});
  }
}

void PassReport::runAfterPass(Pass *, Operation *op) {
  if (auto module = dyn_cast<ModuleOp>(op))
    entries.back().after = costOf(module);
}

std::string formatReport(llvm::ArrayRef<PassReport::Entry> entries) {
  std::string text = llvm::formatv(
      "One decoded token at position {0}: phases, bytes and operations before "
      "and after each pass\n{1,-24}{2,20}{3,26}{4,26}\n",
      kReportDepth, "pass", "phases", "bytes", "operations");
  auto pair = [](int64_t before, int64_t after) {
    return llvm::formatv("{0} -> {1}", before, after).str();
  };
  for (const PassReport::Entry &entry : entries)
    text +=
        llvm::formatv("{0,-24}{1,20}{2,26}{3,26}\n", entry.pass,
                      pair(entry.before.phases, entry.after.phases),
                      pair(entry.before.bytes, entry.after.bytes),
                      pair(entry.before.operations, entry.after.operations));
  return text;
}

}  // namespace gemmac::pipeline
