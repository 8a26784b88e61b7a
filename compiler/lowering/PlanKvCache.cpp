// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-kv-cache: calls of layers -> the layout of a session's KV
// cache, as an attribute of the module. IR before and after:
// test/lowering/plan-kv-cache.mlir. Allocates nothing: the runtime does, block
// by block.
#include "compiler/lowering/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Matchers.h"
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
  // Appends the cache of a layer, or finds that it is an earlier one's.
  LogicalResult add(kernel::CallLayerOp call, int64_t context);
  LogicalResult plan(ModuleOp module, int64_t context);

  kernel::KvFormat format = kernel::KvFormat::Bf16;
  SmallVector<kernel::KvLayerAttr> layers;
  int64_t slots = 0;
};

// The largest call that is not a prefill (ModelAbi.h's batch) also needs room.
constexpr int64_t kLeastRows = 8;

}  // namespace

std::optional<int64_t> PlanKvCache::context(ModuleOp module) {
  auto model = module->getAttrOfType<gemma::SizesAttr>(
      gemma::SizesAttr::kModuleAttribute);
  if (!model) {
    module.emitError("expected a module with gemma.model");
    return std::nullopt;
  }
  if (ctxSize < 0 || ctxSize > model.getPositions()) {
    module.emitError() << "expected a ctx-size of at most "
                       << model.getPositions() << " positions, found "
                       << int64_t(ctxSize);
    return std::nullopt;
  }
  return ctxSize ? int64_t(ctxSize) : model.getPositions();
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

LogicalResult PlanKvCache::add(kernel::CallLayerOp call, int64_t context) {
  func::FuncOp function = kernel::lookupLayer(call);
  if (!function) return call.emitError("expected a layer with a body");
  auto attention = attentionOf(function);
  if (failed(attention)) return failure();
  APInt cache;
  if (!matchPattern(call.getCache(), m_ConstantInt(&cache)) ||
      cache.getSExtValue() != int64_t(layers.size()))
    return call.emitError("expected cache ")
           << layers.size() << ", found " << call.getCache();
  int64_t window = attention->getWindow();
  int64_t blocks = ringBlocks(window, context);
  // K · E columns; keys and values.
  int64_t columns =
      cast<RankedTensorType>(attention->getKey().getType()).getDimSize(1);
  int64_t blockBytes =
      2 * columns * GEMMA_KV_BLOCK * kernel::elementBytes(format);
  auto layer = kernel::KvLayerAttr::getChecked([&] { return call.emitError(); },
                                               &getContext(), slots, blocks,
                                               window, blockBytes);
  if (!layer) return failure();
  layers.push_back(layer);
  slots += blocks;
  return success();
}

LogicalResult PlanKvCache::plan(ModuleOp module, int64_t context) {
  layers.clear();
  slots = 0;
  WalkResult inPlace = module.walk([](gemma::LayerOp layer) {
    layer.emitError("expected layers to be outlined first, found one in place");
    return WalkResult::interrupt();
  });
  if (inPlace.wasInterrupted()) return failure();
  WalkResult result = module.walk(
      [&](kernel::CallLayerOp call) { return WalkResult(add(call, context)); });
  if (result.wasInterrupted()) return failure();
  auto plan = kernel::KvPlanAttr::getChecked([&] { return module.emitError(); },
                                             &getContext(), format, context,
                                             slots, ArrayRef(layers));
  if (!plan) return failure();
  module->setAttr(kernel::KvPlanAttr::kModuleAttribute, plan);
  int64_t bytes = 0;
  for (kernel::KvLayerAttr layer : layers)
    bytes += layer.getRingBlocks() * layer.getBlockBytes();
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
  auto wanted = kernel::symbolizeKvFormat(kvFormat);
  if (!wanted) {
    module.emitError() << "expected kv-format bf16 or f32, found '" << kvFormat
                       << "'";
    return signalPassFailure();
  }
  format = *wanted;
  if (!quantized::isSize(prefillRows)) {
    module.emitError()
        << "expected prefill-rows of at least 1 and below 2^31, found "
        << int64_t(prefillRows);
    return signalPassFailure();
  }
  auto positions = context(module);
  if (!positions || failed(plan(module, *positions))) signalPassFailure();
}
