// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-residual-norm: add(x, rms_norm(y)) -> a norm that adds the
// residual as it writes. IR before and after:
// test/fusion/fuse-residual-norm.mlir. Does not touch a sum without a norm.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSERESIDUALNORM
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseResidualNorm
    : public fusion::impl::FuseResidualNormBase<FuseResidualNorm> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseResidualNorm");

}  // namespace

// A norm that only the sum reads and that adds nothing yet.
static gemma::RmsNormOp matchNorm(Value value) {
  auto norm = singleUseProducer<gemma::RmsNormOp>(value);
  return norm && !norm.getResidual() ? norm : gemma::RmsNormOp();
}

void FuseResidualNorm::runOnOperation() {
  for (auto add : collect<gemma::AddOp>(getOperation())) {
    Value residual = add.getLhs();
    gemma::RmsNormOp norm = matchNorm(add.getRhs());
    if (!norm) {
      norm = matchNorm(add.getLhs());
      residual = add.getRhs();
    }
    if (!norm) {
      remarks.missed(add, "no side is a norm that only the sum reads");
      continue;
    }
    OpBuilder builder(add);
    Value sum = gemma::RmsNormOp::create(builder, add.getLoc(), add.getType(),
                                         norm.getInput(), norm.getGain(),
                                         norm.getNormAttr(), residual);
    remarks.passed(add, "the norm adds the residual");
    add.replaceAllUsesWith(sum);
    add.erase();
    norm.erase();
  }
}
