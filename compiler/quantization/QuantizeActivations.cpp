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

bool hasCodes(gemma::LinearOp linear) {
  StringRef format = linear.getWeight().getType().getFormat();
  return !quantized::lookupFormat(format)->isFloat();
}

// Linears that can share one quantized input: same value, same block.
using Sharing =
    llvm::MapVector<std::pair<Block *, Value>, SmallVector<gemma::LinearOp>>;

}  // namespace

// The codes are made where the first linear stood, which precedes the rest.
static void rewrite(ArrayRef<gemma::LinearOp> linears) {
  gemma::LinearOp first = linears.front();
  Value input = first.getInput();
  OpBuilder builder(first);
  int64_t columns = cast<RankedTensorType>(input.getType()).getDimSize(1);
  auto type = quantized::ActivationsType::get(builder.getContext(), columns);
  Value codes = quantized::QuantizeActivationOp::create(builder, first.getLoc(),
                                                        type, input);
  remark::passed(first.getLoc(), remarkOptions())
      << llvm::formatv("one quantization of {0} columns for {1} linears",
                       columns, linears.size())
             .str();
  for (gemma::LinearOp linear : linears) {
    builder.setInsertionPoint(linear);
    Value product = quantized::MatmulOp::create(
        builder, linear.getLoc(), linear.getType(), codes, linear.getWeight());
    linear.replaceAllUsesWith(product);
    linear.erase();
  }
}

void QuantizeActivations::runOnOperation() {
  Sharing sharing;
  getOperation().walk([&](gemma::LinearOp linear) {
    if (hasCodes(linear)) {
      sharing[{linear->getBlock(), linear.getInput()}].push_back(linear);
      return;
    }
    remark::missed(linear.getLoc(), remarkOptions()) << remark::reason(
        "{0} has no integer codes", linear.getWeight().getType().getFormat());
  });
  // A key's value may be a linear that is gone by now: ask the linears.
  for (auto &[place, linears] : sharing) rewrite(linears);
}
