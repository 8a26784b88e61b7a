// SPDX-License-Identifier: Apache-2.0
// --gemmac-quantize-activations: gemma.linear on integer codes ->
// quantized.quantize_activation + quantized.matmul. IR before and after:
// test/quantization/quantize-activations.mlir. Does not choose formats and
// does not touch linears on float weights.
#include "compiler/quantization/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::quantization {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "compiler/quantization/Passes.h.inc"
}  // namespace gemmac::quantization

using namespace mlir;
using namespace gemmac;

namespace {

class QuantizeActivations
    : public quantization::impl::QuantizeActivationsBase<QuantizeActivations> {
 public:
  void runOnOperation() override;
};

remark::RemarkOpts remarkOptions() {
  return remark::RemarkOpts::name("QuantizeActivations")
      .category("quantization");
}

bool hasCodes(Value weight) {
  StringRef format = cast<quantized::TensorType>(weight.getType()).getFormat();
  return !quantized::lookupFormat(format)->isFloat();
}

// Linears that can share one quantized input: same value and norm (a gain and
// its numbers), same block.
using Sharing = llvm::MapVector<std::tuple<Block *, Value, Value, Attribute>,
                                SmallVector<gemma::LinearOp>>;

}  // namespace

// Weights of both kinds under one op: a linear for each weight.
static void split(gemma::LinearOp linear) {
  OpBuilder builder(linear);
  Location loc = linear.getLoc();
  SmallVector<Value> results;
  // An op with several weights has no other epilogue than geglu.
  auto epilogue =
      linear.getGeglu() ? quantized::EpilogueAttr() : linear.getEpilogueAttr();
  for (auto [i, weight] : llvm::enumerate(linear.getWeights())) {
    Type type = linear->getResult(linear.getGeglu() ? 0 : i).getType();
    auto one = gemma::LinearOp::create(builder, loc, type, linear.getInput(),
                                       weight, linear.getGain(),
                                       linear.getNormAttr(), epilogue);
    results.push_back(one->getResult(0));
  }
  if (linear.getGeglu())
    results = {gemma::GegluOp::create(builder, loc, linear->getResultTypes(),
                                      results[0], results[1])};
  linear->replaceAllUsesWith(results);
  linear.erase();
}

// The codes are made where the first linear stood, which precedes the rest.
static void rewrite(ArrayRef<gemma::LinearOp> linears) {
  gemma::LinearOp first = linears.front();
  Value input = first.getInput();
  OpBuilder builder(first);
  int64_t columns = cast<RankedTensorType>(input.getType()).getDimSize(1);
  auto type = quantized::ActivationsType::get(
      builder.getContext(), columns, quantized::ActivationScheme::ScalePer32);
  Value codes = quantized::QuantizeActivationOp::create(
      builder, first.getLoc(), type, input, first.getGain(),
      first.getNormAttr());
  size_t weights = 0;
  for (gemma::LinearOp linear : linears) {
    weights += linear.getWeights().size();
    builder.setInsertionPoint(linear);
    auto product = quantized::MatmulOp::create(
        builder, linear.getLoc(), linear->getResultTypes(), codes,
        linear.getWeights(), linear.getEpilogueAttr());
    linear->replaceAllUsesWith(product);
  }
  remark::passed(first.getLoc(), remarkOptions())
      << llvm::formatv("one quantization of {0} columns for {1} weights",
                       columns, weights)
             .str();
  for (gemma::LinearOp linear : linears) linear.erase();
}

void QuantizeActivations::runOnOperation() {
  SmallVector<gemma::LinearOp> mixed;
  getOperation().walk([&](gemma::LinearOp linear) {
    if (llvm::any_of(linear.getWeights(), hasCodes) &&
        !llvm::all_of(linear.getWeights(), hasCodes))
      mixed.push_back(linear);
  });
  for (gemma::LinearOp linear : mixed) split(linear);
  Sharing sharing;
  getOperation().walk([&](gemma::LinearOp linear) {
    Value weight = linear.getWeights().front();
    if (hasCodes(weight)) {
      sharing[{linear->getBlock(), linear.getInput(), linear.getGain(),
               linear.getNormAttr()}]
          .push_back(linear);
      return;
    }
    remark::missed(linear.getLoc(), remarkOptions()) << remark::reason(
        "{0} has no integer codes",
        cast<quantized::TensorType>(weight.getType()).getFormat());
  });
  // A key's value may be a linear that is gone by now: ask the linears.
  for (auto &[place, linears] : sharing) rewrite(linears);
}
