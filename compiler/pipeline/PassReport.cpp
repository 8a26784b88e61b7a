// SPDX-License-Identifier: Apache-2.0
// See PassReport.h.
#include "compiler/pipeline/PassReport.h"

#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
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

static int64_t weightBytes(quantized::TensorType type) {
  return quantized::lookupFormat(type.getFormat())
      ->sourceBytes(type.isVector() ? 1 : type.rows(), type.columns());
}

// Rows in and out at four bytes, weights as the checkpoint stores them.
static int64_t bytesOf(Operation *op) {
  int64_t bytes = 0;
  for (Value value : op->getOperands()) {
    auto weight = dyn_cast<quantized::TensorType>(value.getType());
    if (!weight)
      bytes += 4 * elements(value.getType());
    else if (isa<gemma::EmbedOp>(op))
      bytes += weightBytes(weight) / weight.rows();
    else
      bytes += weightBytes(weight);
  }
  // With arg_max a greedy token's logits are not written.
  auto linear = dyn_cast<gemma::LinearOp>(op);
  bool argMax = linear && linear.getArgMax();
  for (Type type : llvm::drop_begin(op->getResultTypes(), argMax))
    bytes += 4 * elements(type);
  return bytes;
}

// Products of matrices; what is done a few times an element counts once each.
static int64_t operationsOf(Operation *op) {
  return TypeSwitch<Operation *, int64_t>(op)
      .Case([](gemma::LinearOp linear) {
        int64_t count = 0;
        for (Value weight : linear.getWeights()) {
          auto type = cast<quantized::TensorType>(weight.getType());
          count += 2 * type.rows() * type.columns();
        }
        if (linear.getGain()) count += elements(linear.getInput().getType());
        if (linear.getGeglu() || linear.getSoftcap())
          count += elements(linear.getResultTypes().front());
        return count;
      })
      .Case([](gemma::AttentionOp attention) {
        int64_t seen = kReportDepth;
        if (int64_t window = attention.getWindow(); window > 0)
          seen = std::min(seen, window);
        int64_t query = elements(attention.getQuery().getType());
        int64_t count = 4 * query * seen;
        if (attention.getAngles())
          count += query + elements(attention.getKey().getType());
        return count;
      })
      .Case<gemma::AttentionScoresOp, gemma::AttentionValuesOp>([](auto op) {
        int64_t width = elements(op->getOperand(0).getType());
        if (isa<gemma::AttentionValuesOp>(op)) width = elements(op.getType());
        return 2 * width * kReportDepth;
      })
      .Default([](Operation *op) {
        return op->getNumResults() ? elements(op->getResult(0).getType()) : 0;
      });
}

// What attention reads of the cache, at two bytes an element.
static int64_t cacheBytes(Operation *op) {
  auto read = [](Value rows, int64_t window) {
    int64_t seen = window > 0 ? std::min(window, kReportDepth) : kReportDepth;
    return 2 * seen * elements(rows.getType());
  };
  if (auto attention = dyn_cast<gemma::AttentionOp>(op))
    return read(attention.getKey(), attention.getWindow()) +
           read(attention.getValue(), attention.getWindow());
  if (auto scores = dyn_cast<gemma::AttentionScoresOp>(op))
    return read(scores.getKey(), 0);
  if (auto values = dyn_cast<gemma::AttentionValuesOp>(op))
    return read(values.getValue(), 0);
  return 0;
}

Cost costOf(ModuleOp module) {
  Cost cost;
  module.walk([&](Operation *op) {
    bool isGemma = isa<gemma::GemmaDialect>(op->getDialect());
    if (!isGemma || isa<gemma::LayerOp, gemma::YieldOp>(op)) return;
    ++cost.phases;
    cost.bytes += bytesOf(op) + cacheBytes(op);
    cost.operations += operationsOf(op);
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
