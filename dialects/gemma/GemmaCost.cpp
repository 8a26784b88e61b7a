// SPDX-License-Identifier: Apache-2.0
// What the ops of the gemma dialect read and compute (CostInterface.td): the
// products of matrices exactly, what is done a few times an element once each.
// The cache is counted at two bytes an element, as bf16: its format is chosen
// later.
#include "dialects/gemma/Gemma.h"

using namespace mlir;
using namespace gemmac::gemma;
using gemmac::quantized::CacheUse;
using gemmac::quantized::WeightUse;

static int64_t columns(Value rows) {
  return cast<ShapedType>(rows.getType()).getShape().back();
}

static constexpr int64_t kCacheElementBytes = 2;

SmallVector<WeightUse> EmbedOp::getWeightUses() {
  return {{getWeight(), /*oneRow=*/true}};
}

int64_t LinearOp::getRowOperations() {
  int64_t count = 0;
  for (Value weight : getWeights()) {
    auto type = cast<quantized::TensorType>(weight.getType());
    count += 2 * type.rows() * type.columns();
  }
  if (getGain()) count += columns(getInput());
  if (getGeglu() || getSoftcap()) count += columns(getResult(0));
  return count;
}

// A greedy token's logits are not written.
unsigned LinearOp::getUnwrittenResults() { return getArgMax() ? 1 : 0; }

int64_t AttentionScoresOp::getRowOperations() { return 0; }

std::optional<CacheUse> AttentionScoresOp::getCacheUse() {
  return CacheUse{0, kCacheElementBytes * columns(getKey()),
                  2 * columns(getQuery())};
}

int64_t AttentionValuesOp::getRowOperations() { return 0; }

std::optional<CacheUse> AttentionValuesOp::getCacheUse() {
  return CacheUse{0, kCacheElementBytes * columns(getValue()),
                  2 * columns(getResult())};
}

// The rotation of query and key.
int64_t AttentionOp::getRowOperations() {
  return getAngles() ? columns(getQuery()) + columns(getKey()) : 0;
}

std::optional<CacheUse> AttentionOp::getCacheUse() {
  return CacheUse{
      int64_t(getWindow()),
      kCacheElementBytes * (columns(getKey()) + columns(getValue())),
      4 * columns(getQuery())};
}
