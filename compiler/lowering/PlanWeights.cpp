// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-weights: places weights in the file in the order in which one
// decoded token reads them, so that its reads are one sequential stream. IR
// before and after: test/lowering/plan-weights.mlir. Packs nothing: packaging
// does, from what this pass writes.
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_PLANWEIGHTS
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

class PlanWeights : public lowering::impl::PlanWeightsBase<PlanWeights> {
 public:
  void runOnOperation() override;

 private:
  void visit(func::FuncOp function, std::optional<int64_t> index);
  void erase();

  llvm::SetVector<StringAttr> order, gathered;
};

}  // namespace

static int64_t packedBytes(quantized::TensorType type) {
  if (type.isVector()) return type.columns() * 4;
  return quantized::packedMatrixBytes(
      *quantized::lookupFormat(type.getFormat()), type.rows(), type.columns());
}

// Weights in order of use; `index` is the layer's index within its kind.
void PlanWeights::visit(func::FuncOp function, std::optional<int64_t> index) {
  ModuleOp module = getOperation();
  for (Operation &op : function.getBody().front()) {
    if (auto reference = dyn_cast<quantized::ReferenceOp>(op)) {
      if (reference.use_empty()) continue;
      if (!reference.getIndex()) {
        bool onlyRows = llvm::all_of(
            reference->getUsers(),
            [](Operation *user) { return isa<kernel::EmbedRowOp>(user); });
        (onlyRows ? gathered : order)
            .insert(reference.getSymbolAttr().getAttr());
        continue;
      }
      auto table =
          module.lookupSymbol<quantized::WeightTableOp>(reference.getSymbol());
      if (table && index && *index < int64_t(table.getWeights().size()))
        order.insert(
            cast<FlatSymbolRefAttr>(table.getWeights()[*index]).getAttr());
    } else if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      APInt position;
      size_t count = call.getNumOperands();
      if (callee && count >= 2 &&
          matchPattern(call.getOperand(count - 2), m_ConstantInt(&position)))
        visit(callee, position.getSExtValue());
    }
  }
}

// References first, then what they leave without a user.
void PlanWeights::erase() {
  ModuleOp module = getOperation();
  module.walk([](quantized::ReferenceOp reference) {
    if (reference.use_empty()) reference.erase();
  });
  for (auto table :
       llvm::make_early_inc_range(module.getOps<quantized::WeightTableOp>()))
    if (SymbolTable::symbolKnownUseEmpty(table, module)) table.erase();
  for (auto weight :
       llvm::make_early_inc_range(module.getOps<quantized::WeightOp>()))
    if (!weight.getPackedOffset()) weight.erase();
}

void PlanWeights::runOnOperation() {
  ModuleOp module = getOperation();
  kernel::ModelOp model = kernel::findModel(module);
  if (!model) return signalPassFailure();
  order.clear();
  gathered.clear();
  for (StringRef entry : {model.getDecode(), model.getHead()})
    if (auto function = module.lookupSymbol<func::FuncOp>(entry))
      visit(function, std::nullopt);
  for (StringAttr name : gathered) order.insert(name);
  int64_t offset = 0;
  for (StringAttr name : order) {
    auto weight = module.lookupSymbol<quantized::WeightOp>(name);
    weight.setPackedOffset(offset);
    offset = (offset + packedBytes(weight.getTensorType()) + 63) / 64 * 64;
  }
  model.setWeightBytes(offset);
  erase();
}
