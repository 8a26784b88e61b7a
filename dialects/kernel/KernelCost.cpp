// SPDX-License-Identifier: Apache-2.0
// What the ops of the kernel dialect read and compute (CostInterface.td), as
// far as it is not said in KernelOps.td: labels and ranks stand there.
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace gemmac::kernel;
using gemmac::quantized::CacheUse;
using gemmac::quantized::WeightUse;

SmallVector<WeightUse> EmbedRowOp::getWeightUses() {
  return {{getWeight(), /*oneRow=*/true}};
}

// With a gain it is the norm's phase more than the quantization's.
StringRef QuantizeRowOp::getCostLabel() {
  return getGain() ? "norm" : "quantize";
}
int QuantizeRowOp::getCostRank() { return getGain() ? 4 : 3; }

int64_t MatmulTileOp::getRowOperations() {
  int64_t count = 0;
  for (const WeightUse &use : quantized::wholeWeights(*this)) {
    auto type = cast<quantized::TensorType>(use.weight.getType());
    count += 2 * type.rows() * type.columns();
  }
  return count;
}

// A key and a value of each kv head; a product of each query head with both.
template <typename Attention>
static CacheUse cacheUse(Attention op) {
  int64_t query = op.getQuery().getType().getShape().back();
  int64_t elements = 2 * op.getKvHeads() * op.getHeadDim();
  return {int64_t(op.getWindow()), elements * elementBytes(op.getKvFormat()),
          4 * query};
}

std::optional<CacheUse> AttentionTileOp::getCacheUse() {
  return cacheUse(*this);
}
std::optional<CacheUse> AttentionBlockOp::getCacheUse() {
  return cacheUse(*this);
}
