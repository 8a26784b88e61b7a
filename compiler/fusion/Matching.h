// SPDX-License-Identifier: Apache-2.0
// What fusion passes match with, and the remarks that say what came of it.
#ifndef GEMMAC_COMPILER_FUSION_MATCHING_H
#define GEMMAC_COMPILER_FUSION_MATCHING_H

#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::fusion {

// The op that made `value` when it is an Op and nothing else reads its result;
// null otherwise.
template <typename Op>
Op singleUseProducer(mlir::Value value) {
  return value.hasOneUse() ? value.getDefiningOp<Op>() : Op();
}

// One that only multiplies: no pass has fused anything into it but weights.
inline bool isPlain(gemma::LinearOp linear) {
  return !linear.getGain() && !linear.getEpilogue();
}

// Makes `values` available at `op`: weight references below it move in front of
// it. False when something else stands in between.
inline bool makeAvailable(mlir::ValueRange values, mlir::Operation *op) {
  llvm::SmallVector<mlir::Operation *> moved;
  for (mlir::Value value : values) {
    mlir::Operation *maker = value.getDefiningOp();
    if (!maker || maker->getBlock() != op->getBlock() ||
        maker->isBeforeInBlock(op))
      continue;
    if (!llvm::isa<quantized::ReferenceOp>(maker)) return false;
    moved.push_back(maker);
  }
  for (mlir::Operation *maker : moved) maker->moveBefore(op);
  return true;
}

// Remarks of one pass: fired, or missed and why.
class Remarks {
 public:
  explicit Remarks(llvm::StringRef pass) : pass(pass) {}
  void passed(mlir::Operation *op, const llvm::Twine &what) const {
    mlir::remark::passed(op->getLoc(), options()) << what.str();
  }
  void missed(mlir::Operation *op, const llvm::Twine &why) const {
    mlir::remark::missed(op->getLoc(), options())
        << mlir::remark::reason("{0}", why.str());
  }

 private:
  mlir::remark::RemarkOpts options() const {
    return mlir::remark::RemarkOpts::name(pass).category("fusion");
  }
  llvm::StringRef pass;
};

// All ops of one kind below `root`, in order, safe to erase while visiting.
template <typename Op>
llvm::SmallVector<Op> collect(mlir::Operation *root) {
  llvm::SmallVector<Op> found;
  root->walk([&](Op op) { found.push_back(op); });
  return found;
}

}  // namespace gemmac::fusion

#endif
