// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-norm-into-linear: linear(rms_norm(x)) -> a linear that
// normalises x itself, so that no normalised row is written: with weights in
// codes the norm and the quantization of the row become one step. IR before and
// after: test/fusion/fuse-norm-into-linear.mlir. Does not fold gains into
// weights.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSENORMINTOLINEAR
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseNormIntoLinear
    : public fusion::impl::FuseNormIntoLinearBase<FuseNormIntoLinear> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseNormIntoLinear");

}  // namespace

static std::optional<StringRef> obstacle(gemma::RmsNormOp norm,
                                         gemma::LinearOp linear) {
  if (!linear) return "its one reader is no linear";
  if (linear.getGain()) return "the linear has a norm already";
  if (norm.getResidual()) return "the norm adds a residual";
  if (norm.getGain().getType().columns() !=
      cast<RankedTensorType>(norm.getType()).getDimSize(1))
    return "the norm works on heads";
  return std::nullopt;
}

void FuseNormIntoLinear::runOnOperation() {
  for (auto norm : collect<gemma::RmsNormOp>(getOperation())) {
    if (!norm->hasOneUse()) {
      remarks.missed(norm, "its result has several readers");
      continue;
    }
    auto linear = dyn_cast<gemma::LinearOp>(*norm->user_begin());
    if (auto why = obstacle(norm, linear)) {
      remarks.missed(norm, *why);
      continue;
    }
    remarks.passed(norm, "normalised on the way into a linear");
    linear.getInputMutable().assign(norm.getInput());
    linear.getGainMutable().assign(norm.getGain());
    linear.setNormAttr(norm.getNormAttr());
    norm.erase();
  }
}
