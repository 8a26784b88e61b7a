// SPDX-License-Identifier: Apache-2.0
// The C++ side of CostInterface.td: what ops say about what they read.
#ifndef GEMMAC_DIALECTS_QUANTIZED_COST_H
#define GEMMAC_DIALECTS_QUANTIZED_COST_H

#include <optional>

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"

namespace gemmac::quantized {

struct WeightUse {
  mlir::Value weight;
  bool oneRow = false;  // of a table: the row of a token
};

// Of each position that a row sees.
struct CacheUse {
  int64_t window;  // 0: all positions
  int64_t bytes;
  int64_t operations;
};

// Defaults of the interface: every operand of a weight's type, whole; a row of
// the first result, where that is [T, n].
llvm::SmallVector<WeightUse> wholeWeights(mlir::Operation *op);
int64_t elementsOfFirstResult(mlir::Operation *op);
// Of an op on scores [T, H, S], one operation for each of H; else nothing.
std::optional<CacheUse> useOfScores(mlir::Operation *op);

}  // namespace gemmac::quantized

#include "dialects/quantized/CostInterface.h.inc"

#endif
