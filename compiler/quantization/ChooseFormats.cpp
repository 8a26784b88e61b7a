// SPDX-License-Identifier: Apache-2.0
// --gemmac-choose-formats: sets the format of every weight symbol and of the
// references to it. IR before and after: test/quantization/choose-formats.mlir.
// Does not touch bytes (packaging converts) or arithmetic
// (QuantizeActivations).
#include "compiler/quantization/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::quantization {
#define GEN_PASS_DEF_CHOOSEFORMATS
#include "compiler/quantization/Passes.h.inc"
}  // namespace gemmac::quantization

using namespace mlir;
using namespace gemmac;
using quantized::ReferenceOp;
using quantized::WeightOp;

namespace {

class ChooseFormats
    : public quantization::impl::ChooseFormatsBase<ChooseFormats> {
 public:
  using ChooseFormatsBase::ChooseFormatsBase;
  void runOnOperation() override;

 private:
  StringRef chooseFormat(WeightOp weight, StringRef wanted, bool readsText);
  void warnOfRefusals(StringRef wanted);

  // Matrices that the wanted format cannot hold.
  SmallVector<WeightOp> refused;
};

remark::RemarkOpts remarkOptions() {
  return remark::RemarkOpts::name("ChooseFormats").category("quantization");
}

// The embedding table and the head: the matrices that meet token ids. A head
// is a linear outside of all layers.
bool meetsTokens(ReferenceOp reference) {
  return llvm::any_of(reference->getUsers(), [](Operation *user) {
    return isa<gemma::EmbedOp>(user) ||
           (isa<gemma::LinearOp>(user) &&
            !user->getParentOfType<gemma::LayerOp>());
  });
}

}  // namespace

// `wanted` is empty for the checkpoint's own format.
StringRef ChooseFormats::chooseFormat(WeightOp weight, StringRef wanted,
                                      bool readsText) {
  quantized::TensorType type = weight.getTensorType();
  StringRef source = weight.getSourceFormat();
  if (type.isVector()) return "f32";
  if (wanted.empty()) return source;
  const quantized::WeightFormat *format = quantized::lookupFormat(wanted);
  if (type.columns() % format->blockColumns()) {
    remark::missed(weight.getLoc(), remarkOptions()) << remark::reason(
        "{0} has {1} columns, no multiple of {2}; stays {3}",
        weight.getSymName(), type.columns(), format->blockColumns(), source);
    refused.push_back(weight);
    return source;
  }
  if (wanted == "q4_0" && readsText) {
    remark::missed(weight.getLoc(), remarkOptions()) << remark::reason(
        "{0} is the embedding or the head, which 4 bits "
        "ruin; becomes q8_0",
        weight.getSymName());
    return "q8_0";
  }
  return wanted;
}

// One warning for all of them: whoever asked for a format shall know that not
// all of the file has it.
void ChooseFormats::warnOfRefusals(StringRef wanted) {
  if (refused.empty()) return;
  constexpr size_t kNamed = 3;
  const quantized::WeightFormat *format = quantized::lookupFormat(wanted);
  auto matrices = llvm::count_if(
      getOperation().getOps<WeightOp>(),
      [](WeightOp weight) { return !weight.getTensorType().isVector(); });
  auto warning = getOperation().emitWarning()
                 << refused.size() << " of " << matrices
                 << " matrices keep their own format, as " << quant
                 << " needs columns in multiples of " << format->blockColumns()
                 << ": ";
  for (WeightOp weight : ArrayRef(refused).take_front(kNamed)) {
    if (weight != refused.front()) warning << ", ";
    warning << weight.getSymName() << " (" << weight.getTensorType().columns()
            << " columns, " << weight.getSourceFormat() << ")";
  }
  if (refused.size() > kNamed)
    warning << " and " << refused.size() - kNamed << " more";
}

void ChooseFormats::runOnOperation() {
  refused.clear();
  ModuleOp module = getOperation();
  std::optional<StringRef> wanted =
      llvm::StringSwitch<std::optional<StringRef>>(quant)
          .Case("keep", "")
          .Case("f32", "f32")
          .Case("bf16", "bf16")
          .Case("int8", "q8_0")
          .Case("int4", "q4_0")
          .Default(std::nullopt);
  if (!wanted) {
    module.emitError(
        "expected quant to be keep, f32, bf16, int8 or int4, "
        "found '")
        << quant << "'";
    return signalPassFailure();
  }
  llvm::StringMap<SmallVector<ReferenceOp>> references;
  module.walk([&](ReferenceOp reference) {
    if (!reference.getIndex())
      references[reference.getSymbol()].push_back(reference);
  });
  for (auto table : module.getOps<quantized::WeightTableOp>()) {
    table.emitError(
        "expected formats to be chosen before layers are "
        "outlined, found a weight table");
    return signalPassFailure();
  }
  for (auto weight : module.getOps<WeightOp>()) {
    ArrayRef<ReferenceOp> users = references[weight.getSymName()];
    StringRef format =
        chooseFormat(weight, *wanted, llvm::any_of(users, meetsTokens));
    quantized::TensorType type = weight.getTensorType();
    if (type.getFormat() == format) continue;
    auto chosen =
        quantized::TensorType::get(&getContext(), type.getShape(), format);
    remark::passed(weight.getLoc(), remarkOptions())
        << llvm::formatv("{0} from {1} to {2}", weight.getSymName(),
                         weight.getSourceFormat(), format)
               .str();
    weight.setType(chosen);
    for (ReferenceOp reference : users) reference.getResult().setType(chosen);
  }
  warnOfRefusals(*wanted);
}
