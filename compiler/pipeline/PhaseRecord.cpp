// SPDX-License-Identifier: Apache-2.0
// The record of phases. See PhaseRecord.h.
#include "compiler/pipeline/PhaseRecord.h"

#include <map>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/DenseSet.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace gemmac::pipeline {
namespace {

struct Kind {
  std::string name;
  int64_t weightBytes = 0;
  int64_t operations = 0;                        // a row; a multiply-add is two
  std::map<int64_t, quantized::CacheUse> cache;  // by window
};

struct Entry {
  std::vector<Kind> kinds;
  std::vector<size_t> order;

  Kind &append(StringRef name) {
    size_t at = 0;
    while (at < kinds.size() && kinds[at].name != name) ++at;
    if (at == kinds.size()) kinds.push_back({name.str(), 0, 0, {}});
    order.push_back(at);
    return kinds[at];
  }
};

// The weight behind a reference; behind one of a table, that of layer `index`
// of the kind.
quantized::WeightOp weightOf(Value weight, int64_t index) {
  auto reference = weight.getDefiningOp<quantized::ReferenceOp>();
  auto module = reference->getParentOfType<ModuleOp>();
  auto symbol = reference.getSymbolAttr();
  if (reference.getIndex()) {
    auto table =
        module.lookupSymbol<quantized::WeightTableOp>(reference.getSymbol());
    symbol = cast<FlatSymbolRefAttr>(table.getWeights()[index]);
  }
  return module.lookupSymbol<quantized::WeightOp>(symbol.getAttr());
}

// What a matrix does in a product; an embedding that is multiplied is the head.
std::string roleOf(quantized::WeightOp weight) {
  quantized::Role role = weight.getRole();
  if (role == quantized::Role::Embedding) role = quantized::Role::Head;
  return quantized::stringifyRole(role).str();
}

// After its matrices ("q_k_v"), else after the op that says most.
std::string nameOf(kernel::PhaseOp phase) {
  SmallVector<std::string> roles;
  int best = -1;
  StringRef name = "rows";
  phase.walk([&](quantized::CostOpInterface op) {
    if (op.getCostLabel().empty()) {
      for (const quantized::WeightUse &use : op.getWeightUses()) {
        std::string role = roleOf(weightOf(use.weight, 0));
        if (!llvm::is_contained(roles, role)) roles.push_back(role);
      }
    } else if (op.getCostRank() > best) {
      best = op.getCostRank();
      name = op.getCostLabel();
    }
  });
  return roles.empty() ? name.str() : llvm::join(roles, "_");
}

// Of one entry point.
class Recorder {
 public:
  // `index` is the layer's within its kind; outside layers it counts for
  // nothing.
  void add(kernel::PhaseOp phase, int64_t index, Kind &kind) {
    phase.walk([&](quantized::CostOpInterface op) {
      for (const quantized::WeightUse &use : op.getWeightUses()) {
        auto type = cast<quantized::TensorType>(use.weight.getType());
        int64_t bytes = firstRead(use.weight, index);
        kind.weightBytes += use.oneRow ? bytes / type.rows() : bytes;
      }
      kind.operations += op.getRowOperations();
      if (auto use = op.getCacheUse()) {
        quantized::CacheUse &sum = kind.cache[use->window];
        sum.bytes += use->bytes;
        sum.operations += use->operations;
      }
    });
  }

 private:
  // 0 where this call has read it before: a gain that rows are normalised by
  // twice, for codes and for floats, is in the cache.
  int64_t firstRead(Value operand, int64_t index) {
    quantized::WeightOp weight = weightOf(operand, index);
    if (!seen.insert(weight).second) return 0;
    return quantized::packedBytes(weight.getTensorType());
  }

  llvm::DenseSet<Operation *> seen;
};

Json toJson(const Entry &entry) {
  Json kinds = Json::array();
  for (const Kind &kind : entry.kinds) {
    Json one{{"name", kind.name},
             {"weight_bytes", kind.weightBytes},
             {"operations", kind.operations}};
    for (const auto &[window, use] : kind.cache)
      one["cache"].push_back({{"window", window},
                              {"bytes", use.bytes},
                              {"operations", use.operations}});
    kinds.push_back(std::move(one));
  }
  return {{"kinds", std::move(kinds)}, {"order", entry.order}};
}

}  // namespace

Json recordPhases(ModuleOp module) {
  Json record = Json::object();
  kernel::ModelOp model = kernel::findModel(module);
  if (!model) return record;
  for (auto [name, symbol] : kernel::entryPoints(model)) {
    if (symbol.empty()) continue;
    Entry entry;
    Recorder recorder;
    kernel::walkWithLayers(module, symbol, [&](Operation *op, int64_t index) {
      if (auto phase = dyn_cast<kernel::PhaseOp>(op))
        recorder.add(phase, index, entry.append(nameOf(phase)));
    });
    record[name.str()] = toJson(entry);
  }
  return record;
}

int64_t weightBytesPerToken(const Json &phases) {
  int64_t bytes = 0;
  for (const char *name : {"decode", "head"})
    for (const Json &kind : phases.at(name).at("kinds"))
      bytes += kind.at("weight_bytes").get<int64_t>();
  return bytes;
}

}  // namespace gemmac::pipeline
