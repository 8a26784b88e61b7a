// SPDX-License-Identifier: Apache-2.0
// The record of phases. See PhaseRecord.h.
#include "compiler/pipeline/PhaseRecord.h"

#include <map>

#include "compiler/importer/TensorNames.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "mlir/IR/Matchers.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace gemmac::pipeline {
namespace {

// What attention takes of each position that a row sees.
struct CacheUse {
  int64_t bytes = 0, operations = 0;
};

struct Kind {
  std::string name;
  int64_t weightBytes = 0;
  int64_t operations = 0;             // a row; a multiply-add is two
  std::map<int64_t, CacheUse> cache;  // by window
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

// What a matrix does, after its name in a file of either kind; else that name.
std::string roleOf(quantized::WeightOp weight) {
  std::string path = importer::ggufNameToPath(weight.getSymName());
  StringRef name = path;
  name.consume_back(".weight");
  return llvm::StringSwitch<StringRef>(name.substr(name.rfind('.') + 1))
      .Case("q_proj", "q")
      .Case("k_proj", "k")
      .Case("v_proj", "v")
      .Case("o_proj", "attention_output")
      .Case("gate_proj", "gate")
      .Case("up_proj", "up")
      .Case("down_proj", "down")
      .Cases({"embed_tokens", "lm_head"}, "head")
      .Default(name)
      .str();
}

// After its matrices ("q_k_v"), else after the op that says most.
std::string nameOf(kernel::PhaseOp phase) {
  SmallVector<std::string> roles;
  int64_t best = -1;
  StringRef name = "rows";
  auto propose = [&](int64_t rank, StringRef what) {
    if (rank > best) best = rank, name = what;
  };
  phase.walk([&](Operation *op) {
    TypeSwitch<Operation *>(op)
        .Case([&](kernel::MatmulTileOp tile) {
          for (Value weight : {tile.getWeight(), tile.getUp()}) {
            if (!weight) continue;
            std::string role = roleOf(weightOf(weight, 0));
            if (!llvm::is_contained(roles, role)) roles.push_back(role);
          }
        })
        .Case<kernel::AttentionTileOp, kernel::AttentionBlockOp>(
            [&](auto) { propose(9, "attention"); })
        .Case([&](kernel::KvStoreRowOp) { propose(8, "cache_store"); })
        .Case([&](kernel::EmbedRowOp) { propose(7, "embed"); })
        .Case([&](kernel::AttentionFoldRowOp) { propose(6, "attention_fold"); })
        .Case([&](kernel::GegluRowOp) { propose(5, "geglu"); })
        .Case([&](kernel::RmsNormRowOp) { propose(4, "norm"); })
        .Case([&](kernel::QuantizeRowOp quantize) {
          propose(quantize.getGain() ? 4 : 3,
                  quantize.getGain() ? "norm" : "quantize");
        })
        .Case([&](kernel::RopeRowOp) { propose(2, "rope"); })
        .Case([&](kernel::AddRowOp) { propose(1, "add"); })
        .Case([&](kernel::SoftcapRowOp) { propose(0, "softcap"); })
        .Case([&](kernel::ArgMaxRowOp) { propose(0, "arg_max"); });
  });
  return roles.empty() ? name.str() : llvm::join(roles, "_");
}

// Of one entry point.
class Recorder {
 public:
  explicit Recorder(ModuleOp module) : module(module) {}

  // `index` is the layer's within its kind; outside layers it counts for
  // nothing.
  void visit(func::FuncOp function, int64_t index, Entry &entry) {
    for (Operation &op : function.getBody().front()) {
      if (auto phase = dyn_cast<kernel::PhaseOp>(op)) {
        add(phase, index, entry.append(nameOf(phase)));
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
        APInt position;
        size_t count = call.getNumOperands();
        if (callee && count >= 2 &&
            matchPattern(call.getOperand(count - 2), m_ConstantInt(&position)))
          visit(callee, position.getSExtValue(), entry);
      }
    }
  }

 private:
  // 0 where this call has read it before: a gain that rows are normalised by
  // twice, for codes and for floats, is in the cache.
  int64_t packedBytes(Value operand, int64_t index) {
    quantized::WeightOp weight = weightOf(operand, index);
    if (!seen.insert(weight).second) return 0;
    auto type = weight.getTensorType();
    return type.isVector() ? type.columns() * int64_t(sizeof(float))
                           : quantized::packedMatrixBytes(
                                 *quantized::lookupFormat(type.getFormat()),
                                 type.rows(), type.columns());
  }

  template <typename Attention>
  static void addAttention(Attention op, Kind &kind) {
    int64_t heads = cast<MemRefType>(op.getQuery().getType()).getShape().back();
    int64_t element = op.getKvFormat() == "f32" ? 4 : 2;
    CacheUse &use = kind.cache[op.getWindow()];
    // A key and a value; a product with each.
    use.bytes += 2 * op.getKvHeads() * op.getHeadDim() * element;
    use.operations += 4 * heads;
  }

  void add(kernel::PhaseOp phase, int64_t index, Kind &kind) {
    phase.walk([&](Operation *op) {
      for (Value operand : op->getOperands()) {
        auto type = dyn_cast<quantized::TensorType>(operand.getType());
        if (!type) continue;
        int64_t bytes = packedBytes(operand, index);
        kind.weightBytes +=
            isa<kernel::EmbedRowOp>(op) ? bytes / type.rows() : bytes;
        if (isa<kernel::MatmulTileOp>(op))
          kind.operations += 2 * type.rows() * type.columns();
      }
      TypeSwitch<Operation *>(op)
          .Case<kernel::AttentionTileOp, kernel::AttentionBlockOp>(
              [&](auto attention) { addAttention(attention, kind); });
    });
  }

  ModuleOp module;
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
    if (auto function = module.lookupSymbol<func::FuncOp>(symbol))
      Recorder(module).visit(function, 0, entry);
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
