// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-softcap: softcap(linear(x)) -> a linear that caps its rows
// while they are in the cache: the head of 256000 logits is written once. IR
// before and after: test/fusion/fuse-softcap.mlir. The cap on attention scores
// is FuseAttention's.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSESOFTCAP
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseSoftcap : public fusion::impl::FuseSoftcapBase<FuseSoftcap> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseSoftcap");

}  // namespace

void FuseSoftcap::runOnOperation() {
  for (auto cap : collect<gemma::SoftcapOp>(getOperation())) {
    auto linear = singleUseProducer<gemma::LinearOp>(cap.getInput());
    if (!linear || linear.getWeights().size() != 1 || linear.getEpilogue()) {
      remarks.missed(cap, "its input is no plain linear that only it reads");
      continue;
    }
    remarks.passed(cap, "the linear caps its result");
    linear.setEpilogueAttr(
        quantized::withSoftcap(cap.getCapAttr(), /*base=*/{}));
    cap.replaceAllUsesWith(linear->getResult(0));
    cap.erase();
  }
}
