// SPDX-License-Identifier: Apache-2.0
// Defaults of CostOpInterface; see Cost.h.
#include "dialects/quantized/Cost.h"

#include "dialects/quantized/Quantized.h"

using namespace mlir;

#include "dialects/quantized/CostInterface.cpp.inc"

namespace gemmac::quantized {

SmallVector<WeightUse> wholeWeights(Operation *op) {
  SmallVector<WeightUse> uses;
  for (Value operand : op->getOperands())
    if (isa<TensorType>(operand.getType())) uses.push_back({operand, false});
  return uses;
}

int64_t elementsOfFirstResult(Operation *op) {
  if (op->getNumResults() == 0) return 0;
  auto shaped = dyn_cast<ShapedType>(op->getResult(0).getType());
  return shaped && shaped.getRank() == 2 ? shaped.getDimSize(1) : 0;
}

std::optional<CacheUse> useOfScores(Operation *op) {
  if (op->getNumResults() == 0) return std::nullopt;
  auto shaped = dyn_cast<ShapedType>(op->getResult(0).getType());
  if (!shaped || shaped.getRank() != 3) return std::nullopt;
  return CacheUse{0, 0, shaped.getDimSize(1)};
}

}  // namespace gemmac::quantized
