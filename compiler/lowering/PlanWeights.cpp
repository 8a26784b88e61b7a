// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-weights: places weights in the file in the order in which one
// decoded token reads them, so that its reads are one sequential stream. IR
// before and after: test/lowering/plan-weights.mlir. Packs nothing: packaging
// does, from what this pass writes.
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/SetVector.h"

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
  LogicalResult visit(quantized::ReferenceOp reference, int64_t index);
  void erase();

  llvm::SetVector<StringAttr> order, gathered;
};

}  // namespace

// A weight in its order of use; `index` is the layer's index within its kind.
LogicalResult PlanWeights::visit(quantized::ReferenceOp reference,
                                 int64_t index) {
  if (reference.use_empty()) return success();
  if (!reference.getIndex()) {
    bool onlyRows = llvm::all_of(reference->getUsers(), [](Operation *user) {
      return isa<kernel::EmbedRowOp>(user);
    });
    (onlyRows ? gathered : order).insert(reference.getSymbolAttr().getAttr());
    return success();
  }
  auto table = getOperation().lookupSymbol<quantized::WeightTableOp>(
      reference.getSymbol());
  int64_t size = table.getWeights().size();
  if (index < 0 || index >= size)
    return reference.emitError("expected an index below ")
           << size << ", the entries of " << reference.getSymbolAttr()
           << ", found " << index;
  order.insert(cast<FlatSymbolRefAttr>(table.getWeights()[index]).getAttr());
  return success();
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
    if (!order.contains(weight.getSymNameAttr())) weight.erase();
}

void PlanWeights::runOnOperation() {
  ModuleOp module = getOperation();
  kernel::ModelOp model = kernel::findModel(module);
  if (!model) return signalPassFailure();
  order.clear();
  gathered.clear();
  bool inTables = true;
  for (StringRef entry : {model.getDecode(), model.getHead()})
    kernel::walkWithLayers(module, entry, [&](Operation *op, int64_t index) {
      auto reference = dyn_cast<quantized::ReferenceOp>(op);
      if (reference && failed(visit(reference, index))) inTables = false;
    });
  if (!inTables) return signalPassFailure();
  for (StringAttr name : gathered) order.insert(name);
  int64_t offset = 0;
  for (StringAttr name : order) {
    auto weight = module.lookupSymbol<quantized::WeightOp>(name);
    weight.setPackedOffset(offset);
    int64_t bytes = quantized::packedBytes(weight.getTensorType());
    offset = (offset + bytes + 63) / 64 * 64;
  }
  model.setWeightBytes(offset);
  erase();
}
