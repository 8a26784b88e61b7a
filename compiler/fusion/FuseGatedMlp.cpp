// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-gated-mlp: geglu(linear(x, gate), linear(x, up)) -> one linear
// with both weights that applies GeGLU while its rows are in the cache. IR
// before and after: test/fusion/fuse-gated-mlp.mlir. Does not touch the down
// projection.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSEGATEDMLP
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseGatedMlp : public fusion::impl::FuseGatedMlpBase<FuseGatedMlp> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseGatedMlp");

}  // namespace

static std::optional<StringRef> obstacle(gemma::LinearOp gate,
                                         gemma::LinearOp up) {
  if (!gate || !up) return "gate or up is no linear that only geglu reads";
  if (gate == up) return "gate and up are results of one op";
  if (gate.getInput() != up.getInput()) return "gate and up have two inputs";
  for (gemma::LinearOp linear : {gate, up})
    if (linear.getWeights().size() != 1 || !isPlain(linear))
      return "gate or up is fused with something else";
  return std::nullopt;
}

void FuseGatedMlp::runOnOperation() {
  for (auto geglu : collect<gemma::GegluOp>(getOperation())) {
    auto gate = singleUseProducer<gemma::LinearOp>(geglu.getGate());
    auto up = singleUseProducer<gemma::LinearOp>(geglu.getUp());
    if (auto why = obstacle(gate, up)) {
      remarks.missed(geglu, *why);
      continue;
    }
    OpBuilder builder(geglu);
    Value weights[] = {gate.getWeights()[0], up.getWeights()[0]};
    auto fused = gemma::LinearOp::create(builder, geglu.getLoc(),
                                         geglu->getResultTypes(),
                                         gate.getInput(), weights);
    fused.setEpilogueAttr(quantized::withGeglu(&getContext()));
    remarks.passed(geglu, "gate, up and GeGLU in one phase");
    geglu->replaceAllUsesWith(fused);
    geglu.erase();
    gate.erase();
    up.erase();
  }
}
