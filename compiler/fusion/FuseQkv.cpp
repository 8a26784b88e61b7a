// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-qkv: linears of one input -> one linear with their weights, so
// that one phase reads the input once. IR before and after:
// test/fusion/fuse-qkv.mlir. Does not concatenate weights: they keep their
// symbols and formats.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSEQKV
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseQkv : public fusion::impl::FuseQkvBase<FuseQkv> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseQkv");

}  // namespace

static void rewrite(ArrayRef<gemma::LinearOp> linears) {
  gemma::LinearOp first = linears.front();
  SmallVector<Value> weights, results;
  SmallVector<Type> types;
  for (gemma::LinearOp linear : linears) {
    llvm::append_range(weights, linear.getWeights());
    llvm::append_range(types, linear->getResultTypes());
    llvm::append_range(results, linear.getResults());
  }
  if (!makeAvailable(weights, first))
    return remarks.missed(first, "a weight is computed between the linears");
  OpBuilder builder(first);
  auto fused = gemma::LinearOp::create(builder, first.getLoc(), types,
                                       first.getInput(), weights);
  remarks.passed(first, Twine(weights.size()) + " weights read one input");
  for (auto [old, result] : llvm::zip(results, fused.getResults()))
    old.replaceAllUsesWith(result);
  for (gemma::LinearOp linear : linears) linear.erase();
}

void FuseQkv::runOnOperation() {
  llvm::MapVector<std::pair<Block *, Value>, SmallVector<gemma::LinearOp>>
      byInput;
  for (auto linear : collect<gemma::LinearOp>(getOperation())) {
    if (isPlain(linear))
      byInput[{linear->getBlock(), linear.getInput()}].push_back(linear);
    else
      remarks.missed(linear, "it is fused with something else");
  }
  // A key's value may be a linear that is gone by now: ask the linears.
  for (auto &[place, linears] : byInput) {
    if (linears.size() > 1)
      rewrite(linears);
    else
      remarks.missed(linears[0], "no other linear reads its input");
  }
}
