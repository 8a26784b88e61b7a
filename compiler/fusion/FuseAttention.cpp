// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-attention: attention_scores -> [softcap] -> mask -> softmax ->
// attention_values becomes gemma.attention. IR before and after:
// test/fusion/fuse-attention.mlir. Does not choose blocks or entry points:
// that is lowering's.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSEATTENTION
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

const Remarks remarks("FuseAttention");

class FuseAttention : public fusion::impl::FuseAttentionBase<FuseAttention> {
 public:
  void runOnOperation() override;
};

// The ops of one chain, found from its end.
struct Chain {
  gemma::AttentionScoresOp scores;
  gemma::SoftcapOp softcap;  // may be null
  gemma::MaskOp mask;
  gemma::SoftmaxOp softmax;
  gemma::AttentionValuesOp values;
};

}  // namespace

static int64_t columns(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getDimSize(1);
}

// Fills `chain` from its values; says what is in the way otherwise.
static std::optional<std::string> match(Chain &chain) {
  chain.softmax =
      chain.values.getProbabilities().getDefiningOp<gemma::SoftmaxOp>();
  if (!chain.softmax) return "the probabilities are no softmax";
  chain.mask = chain.softmax.getInput().getDefiningOp<gemma::MaskOp>();
  if (!chain.mask) return "the softmax's input is no mask";
  Value scores = chain.mask.getScores();
  chain.softcap = scores.getDefiningOp<gemma::SoftcapOp>();
  if (chain.softcap) scores = chain.softcap.getInput();
  chain.scores = scores.getDefiningOp<gemma::AttentionScoresOp>();
  if (!chain.scores) return "the mask's input is no attention_scores";
  for (Operation *op :
       {chain.scores.getOperation(),
        chain.softcap ? chain.softcap.getOperation() : nullptr,
        chain.mask.getOperation(), chain.softmax.getOperation()})
    if (op && !op->hasOneUse())
      return ("something else reads the result of " +
              op->getName().getStringRef())
          .str();
  if (chain.scores.getKey().getType() != chain.values.getValue().getType())
    return "key and value have different types";
  int64_t heads =
      columns(chain.scores.getQuery()) / int64_t(chain.scores.getHeadDim());
  if (columns(chain.values.getResult()) !=
      heads * int64_t(chain.scores.getHeadDim()))
    return "the values' heads are not the query's";
  return std::nullopt;
}

static void rewrite(const Chain &chain) {
  gemma::AttentionValuesOp values = chain.values;
  gemma::AttentionScoresOp scores = chain.scores;
  gemma::SoftcapOp softcap = chain.softcap;
  gemma::MaskOp mask = chain.mask;
  gemma::SoftmaxOp softmax = chain.softmax;
  OpBuilder builder(values);
  FloatAttr cap = builder.getF32FloatAttr(0);
  if (softcap) cap = softcap.getCapAttr();
  Value attention = gemma::AttentionOp::create(
      builder, values.getLoc(), scores.getQuery().getType(), scores.getQuery(),
      scores.getKey(), values.getValue(), mask.getPositions(),
      scores.getHeadDimAttr(), scores.getScaleAttr(), cap,
      mask.getWindowAttr());
  values.getResult().replaceAllUsesWith(attention);
  values.erase();
  softmax.erase();
  mask.erase();
  if (softcap) softcap.erase();
  scores.erase();
}

void FuseAttention::runOnOperation() {
  for (auto values : collect<gemma::AttentionValuesOp>(getOperation())) {
    Chain chain;
    chain.values = values;
    if (auto obstacle = match(chain)) {
      remarks.missed(values, *obstacle);
      continue;
    }
    remarks.passed(values,
                   chain.softcap ? "attention with a softcap" : "attention");
    rewrite(chain);
  }
}
