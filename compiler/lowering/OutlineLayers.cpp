// SPDX-License-Identifier: Apache-2.0
// --gemmac-outline-layers: gemma.layer regions that are equal but for weight
// symbols -> one function a kind, tables of weights, calls. IR before and
// after: test/lowering/outline-layers.mlir. Does not look for equal parts of
// layers, nor touch what stands outside layers.
#include "compiler/lowering/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_OUTLINELAYERS
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

class OutlineLayers : public lowering::impl::OutlineLayersBase<OutlineLayers> {
 public:
  void runOnOperation() override;
};

// Layers that share one function.
struct Kind {
  OwningOpRef<gemma::LayerOp> shape;  // a layer with its weights' names erased
  SmallVector<gemma::LayerOp> layers;
};

}  // namespace

// The references to weights, in order: where layers of one kind may differ.
static SmallVector<quantized::ReferenceOp> references(Operation *root) {
  SmallVector<quantized::ReferenceOp> found;
  root->walk([&](quantized::ReferenceOp reference) {
    if (!reference.getIndex()) found.push_back(reference);
  });
  return found;
}

static OwningOpRef<gemma::LayerOp> shapeOf(gemma::LayerOp layer) {
  OwningOpRef<gemma::LayerOp> shape(layer.clone());
  for (quantized::ReferenceOp reference : references(*shape))
    reference.setSymbol("weight");
  return shape;
}

static bool isSame(gemma::LayerOp a, gemma::LayerOp b) {
  return a.getInputs().getTypes() == b.getInputs().getTypes() &&
         a.getType() == b.getType() &&
         OperationEquivalence::isRegionEquivalentTo(
             &a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
}

// "blk.3.attn_q.weight" and "model.layers.3.mlp.up_proj.weight" without what
// names the layer: what the table of that place is called.
static StringRef placeOf(StringRef weight) {
  StringRef rest = weight;
  while (!rest.empty()) {
    auto [part, after] = rest.split('.');
    unsigned number;
    if (!part.getAsInteger(10, number) && !after.empty()) return after;
    rest = after;
  }
  return weight;
}

// Turns the references of `function`, a copy of the kind's first layer, into
// entries of new tables.
static void makeTables(const Kind &kind, func::FuncOp function, Value index,
                       SymbolTable &symbols) {
  SmallVector<SmallVector<quantized::ReferenceOp>> ofLayer;
  for (gemma::LayerOp layer : kind.layers) ofLayer.push_back(references(layer));
  OpBuilder builder(function);
  for (auto [place, reference] : llvm::enumerate(references(function))) {
    SmallVector<Attribute> weights;
    for (auto &layer : ofLayer) weights.push_back(layer[place].getSymbolAttr());
    std::string name = llvm::formatv("{0}.{1}", function.getName(),
                                     placeOf(reference.getSymbol()));
    builder.setInsertionPoint(function);
    auto table = quantized::WeightTableOp::create(
        builder, reference.getLoc(), name, builder.getArrayAttr(weights),
        reference.getType());
    symbols.insert(table, function->getIterator());
    builder.setInsertionPoint(reference);
    Value entry = quantized::ReferenceOp::create(
        builder, reference.getLoc(), reference.getType(),
        FlatSymbolRefAttr::get(table.getSymNameAttr()), index);
    reference.replaceAllUsesWith(entry);
    reference.erase();
  }
}

static func::FuncOp makeFunction(const Kind &kind, int64_t number,
                                 Operation *before, SymbolTable &symbols) {
  gemma::LayerOp layer = kind.layers.front();
  OpBuilder builder(before);
  SmallVector<Type> inputs(layer.getInputs().getTypes());
  inputs.append(2, builder.getIndexType());
  auto function = func::FuncOp::create(
      builder, layer.getLoc(), "layer_" + std::to_string(number),
      builder.getFunctionType(inputs, layer.getType()));
  function.setPrivate();
  function->setAttr(gemma::kLayerKind, builder.getI64IntegerAttr(number));
  symbols.insert(function);
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(layer.getBody().getArguments(),
              body->getArguments().drop_back(2));
  for (Operation &op : layer.getBody().front()) {
    if (auto yield = dyn_cast<gemma::YieldOp>(op))
      func::ReturnOp::create(builder, op.getLoc(),
                             mapping.lookup(yield.getValue()));
    else
      builder.clone(op, mapping);
  }
  makeTables(kind, function, body->getArgument(inputs.size() - 2), symbols);
  return function;
}

void OutlineLayers::runOnOperation() {
  ModuleOp module = getOperation();
  SymbolTable symbols(module);
  std::vector<Kind> kinds;
  DenseMap<Operation *, int64_t> numbers;  // of all layers, in order
  WalkResult placed = module.walk([&](gemma::LayerOp layer) {
    if (isa<func::FuncOp>(layer->getParentOp())) return WalkResult::advance();
    layer.emitError("expected a layer to stand in a function");
    return WalkResult::interrupt();
  });
  if (placed.wasInterrupted()) return signalPassFailure();
  module.walk([&](gemma::LayerOp layer) {
    numbers.try_emplace(layer, numbers.size());
    auto shape = shapeOf(layer);
    auto same = llvm::find_if(
        kinds, [&](Kind &kind) { return isSame(*kind.shape, *shape); });
    if (same == kinds.end()) {
      kinds.push_back({std::move(shape), {}});
      same = std::prev(kinds.end());
    }
    same->layers.push_back(layer);
  });
  if (kinds.empty()) return;
  for (auto [number, kind] : llvm::enumerate(kinds)) {
    Operation *user = kind.layers.front()->getParentOfType<func::FuncOp>();
    func::FuncOp function = makeFunction(kind, number, user, symbols);
    for (auto [index, layer] : llvm::enumerate(kind.layers)) {
      OpBuilder builder(layer);
      auto constant = [&](int64_t value) {
        return arith::ConstantIndexOp::create(builder, layer.getLoc(), value);
      };
      Value place = constant(int64_t(index)), number = constant(numbers[layer]);
      // Each layer has a cache of its own, in order.
      auto call = kernel::CallLayerOp::create(
          builder, layer.getLoc(), layer->getResultTypes(), function.getName(),
          layer.getInputs(), number, place, /*cache=*/number);
      layer->replaceAllUsesWith(call);
    }
  }
  for (Kind &kind : kinds)
    for (gemma::LayerOp layer : kind.layers) layer.erase();
  remark::passed(module.getLoc(),
                 remark::RemarkOpts::name("OutlineLayers").category("lowering"))
      << llvm::formatv("{0} layers of {1} kinds", numbers.size(), kinds.size())
             .str();
}
