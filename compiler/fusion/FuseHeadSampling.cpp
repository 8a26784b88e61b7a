// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-head-sampling: the linear behind @forward's logits -> the same
// linear with arg_max, and @forward returns each row's largest logit and its
// token too: lowering makes an entry point of that which writes no logits. IR
// before and after: test/fusion/fuse-head-sampling.mlir. Changes no logit, and
// knows nothing of penalties, suppressed tokens or draws.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSEHEADSAMPLING
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseHeadSampling
    : public fusion::impl::FuseHeadSamplingBase<FuseHeadSampling> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseHeadSampling");

}  // namespace

static std::optional<StringRef> obstacle(func::FuncOp forward,
                                         func::ReturnOp end) {
  if (end.getNumOperands() != 1) return "@forward returns more than logits";
  auto linear = singleUseProducer<gemma::LinearOp>(end.getOperand(0));
  if (!linear) return "the logits are no linear's that nothing else reads";
  if (linear.getWeights().size() != 1 || linear.getGeglu() ||
      linear.getArgMax())
    return "the logits' linear is fused with something else";
  auto weight = cast<quantized::TensorType>(linear.getWeights()[0].getType());
  if (weight.rows() > quantized::kArgMaxRows)
    return "there are more tokens than f32 can number";
  return std::nullopt;
}

static void rewrite(func::FuncOp forward, func::ReturnOp end) {
  auto linear = end.getOperand(0).getDefiningOp<gemma::LinearOp>();
  OpBuilder builder(linear);
  Type logits = end.getOperand(0).getType();
  Type largest =
      RankedTensorType::get({ShapedType::kDynamic, 2}, builder.getF32Type());
  auto both = gemma::LinearOp::create(
      builder, linear.getLoc(), TypeRange{logits, largest}, linear.getInput(),
      linear.getWeights(), linear.getGain(), linear.getNormAttr(),
      quantized::withArgMax(builder.getContext(), linear.getEpilogueAttr()));
  linear.replaceAllUsesWith(both.getResults().take_front());
  linear.erase();
  end.getOperandsMutable().append(both.getResult(1));
  forward.setType(builder.getFunctionType(forward.getArgumentTypes(),
                                          end.getOperandTypes()));
}

void FuseHeadSampling::runOnOperation() {
  for (auto wanted : collect<gemma::WantedRowsOp>(getOperation())) {
    auto forward = wanted->getParentOfType<func::FuncOp>();
    auto end =
        forward
            ? dyn_cast<func::ReturnOp>(forward.getBody().back().getTerminator())
            : func::ReturnOp();
    if (!end) {
      remarks.missed(wanted, "no function returns logits behind it");
      continue;
    }
    if (auto why = obstacle(forward, end)) {
      remarks.missed(end, *why);
      continue;
    }
    remarks.passed(end, "the head finds the arg-max without writing logits");
    rewrite(forward, end);
  }
}
