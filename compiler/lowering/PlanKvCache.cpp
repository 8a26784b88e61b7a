// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-kv-cache: calls of layer functions -> the layout of a
// session's KV cache, as attributes of the module. IR before and after:
// test/lowering/plan-kv-cache.mlir. Allocates nothing: the runtime does, block
// by block.
#include "compiler/lowering/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "runtime/include/gemma/ModelAbi.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_PLANKVCACHE
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

class PlanKvCache : public lowering::impl::PlanKvCacheBase<PlanKvCache> {
 public:
  using PlanKvCacheBase::PlanKvCacheBase;
  void runOnOperation() override;

 private:
  // Positions of a session; nothing where the module or an option is wrong.
  std::optional<int64_t> context(ModuleOp module);
  int64_t ringBlocks(int64_t window, int64_t context) const;
  LogicalResult plan(ModuleOp module, int64_t context);
};

// The largest call that is not a prefill (ModelAbi.h's batch) also needs room.
constexpr int64_t kLeastRows = 8;

}  // namespace

std::optional<int64_t> PlanKvCache::context(ModuleOp module) {
  auto model = module->getAttrOfType<DictionaryAttr>("gemma.model");
  auto trained = model ? model.getAs<IntegerAttr>("context") : IntegerAttr();
  if (!trained) {
    module.emitError("expected a gemma.model attribute with a context");
    return std::nullopt;
  }
  if (ctxSize < 0 || ctxSize > trained.getInt()) {
    module.emitError() << "expected a ctx-size of at most " << trained.getInt()
                       << " positions, found " << int64_t(ctxSize);
    return std::nullopt;
  }
  return ctxSize ? int64_t(ctxSize) : trained.getInt();
}

int64_t PlanKvCache::ringBlocks(int64_t window, int64_t context) const {
  int64_t full = llvm::divideCeil(context, GEMMA_KV_BLOCK);
  if (!window) return full;
  int64_t rows = std::max<int64_t>(prefillRows, kLeastRows);
  int64_t ring = llvm::divideCeil(window - 1 + rows, GEMMA_KV_BLOCK);
  return std::min(ring, full);
}

// The one attention of a layer's function.
static FailureOr<gemma::AttentionOp> attentionOf(func::FuncOp function) {
  SmallVector<gemma::AttentionOp> found;
  function.walk([&](gemma::AttentionOp op) { found.push_back(op); });
  if (found.size() == 1) return found.front();
  return function.emitError("expected one gemma.attention a layer, found ")
         << found.size();
}

LogicalResult PlanKvCache::plan(ModuleOp module, int64_t context) {
  Builder builder(module.getContext());
  SymbolTable symbols(module);
  SmallVector<Attribute> layers;
  int64_t slots = 0, bytes = 0;
  WalkResult result = module.walk([&](func::CallOp call) {
    auto function = symbols.lookup<func::FuncOp>(call.getCallee());
    if (!function || !function->hasAttr("gemma.layer_kind"))
      return WalkResult::advance();
    auto found = attentionOf(function);
    if (failed(found)) return WalkResult::interrupt();
    gemma::AttentionOp attention = *found;
    int64_t window = attention.getWindow();
    int64_t blocks = ringBlocks(window, context);
    // K · E columns; keys and values.
    int64_t columns =
        cast<RankedTensorType>(attention.getKey().getType()).getDimSize(1);
    int64_t blockBytes =
        2 * columns * GEMMA_KV_BLOCK * (kvFormat == "f32" ? 4 : 2);
    auto number = [&](StringRef name, int64_t value) {
      return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
    };
    layers.push_back(builder.getDictionaryAttr(
        {number("first_slot", slots), number("ring_blocks", blocks),
         number("window", window), number("block_bytes", blockBytes)}));
    slots += blocks;
    bytes += blocks * blockBytes;
    return WalkResult::advance();
  });
  if (result.wasInterrupted()) return failure();
  module->setAttr("kernel.kv_layers", builder.getArrayAttr(layers));
  module->setAttr("kernel.kv_slots", builder.getI64IntegerAttr(slots));
  module->setAttr("kernel.kv_format", builder.getStringAttr(kvFormat));
  module->setAttr("kernel.context", builder.getI64IntegerAttr(context));
  remark::passed(module.getLoc(),
                 remark::RemarkOpts::name("PlanKvCache").category("lowering"))
      << llvm::formatv(
             "a session of {0} positions takes {1} bytes in {2} "
             "blocks",
             context, bytes, slots)
             .str();
  return success();
}

void PlanKvCache::runOnOperation() {
  ModuleOp module = getOperation();
  if (kvFormat != "bf16" && kvFormat != "f32") {
    module.emitError() << "expected kv-format bf16 or f32, found '" << kvFormat
                       << "'";
    return signalPassFailure();
  }
  if (prefillRows <= 0) {
    module.emitError() << "expected prefill-rows > 0, found " << prefillRows;
    return signalPassFailure();
  }
  auto positions = context(module);
  if (!positions || failed(plan(module, *positions))) signalPassFailure();
}
