// SPDX-License-Identifier: Apache-2.0
// The gemma dialect: registration and verifiers. Each message opens with the
// constraint's id in GemmaOps.td.
#include "dialects/gemma/Gemma.h"

#include "dialects/quantized/WeightFormat.h"

using namespace mlir;
using namespace gemmac::gemma;

#include "dialects/gemma/GemmaDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/gemma/GemmaAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/gemma/GemmaOps.cpp.inc"

void GemmaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/gemma/GemmaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/gemma/GemmaOps.cpp.inc"
      >();
}

LogicalResult GemmaDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto fail = [&](StringRef expected) {
    return op->emitOpError() << "expected '" << name << "' to be " << expected
                             << ", found " << value;
  };
  if (name == SizesAttr::kModuleAttribute)
    return isa<SizesAttr>(value) ? success() : fail("a #gemma.sizes");
  if (name == kSources) {
    auto paths = dyn_cast<ArrayAttr>(value);
    bool good = paths && llvm::all_of(paths, llvm::IsaPred<StringAttr>);
    return good ? success() : fail("an array of paths");
  }
  if (name == kLayerKind) {
    auto kind = dyn_cast<IntegerAttr>(value);
    bool good =
        kind && kind.getType().isSignlessInteger(64) && kind.getInt() >= 0;
    return good ? success() : fail("a number of a kind");
  }
  return op->emitOpError() << "'" << name
                           << "' is no attribute of the gemma dialect";
}

LogicalResult SizesAttr::verify(function_ref<InFlightDiagnostic()> error,
                                StringRef, int64_t vocabulary, int64_t width,
                                int64_t layers, int64_t heads, int64_t kvHeads,
                                int64_t headDim, int64_t ffn,
                                int64_t positions) {
  bool good = layers == 0 || quantized::isSize(layers);
  for (int64_t size :
       {vocabulary, width, heads, kvHeads, headDim, ffn, positions})
    good = good && quantized::isSize(size);
  if (good) return success();
  return error() << "sizes_c1: expected sizes of at least 1 and below 2^31, "
                    "found "
                 << vocabulary << ", " << width << ", " << layers << ", "
                 << heads << ", " << kvHeads << ", " << headDim << ", " << ffn
                 << " and " << positions;
}

static int64_t columns(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getShape().back();
}

LogicalResult EmbedOp::verify() {
  auto weight = getWeight().getType();
  if (weight.isVector() || weight.columns() != columns(getResult()))
    return emitOpError("embed_c1: expected a matrix of ")
           << columns(getResult()) << " columns, found " << weight;
  return success();
}

LogicalResult RmsNormOp::verify() {
  auto gain = getGain().getType();
  if (!gain.isVector() || columns(getInput()) % gain.columns())
    return emitOpError("rms_norm_c1: expected a vector whose length divides ")
           << columns(getInput()) << ", found " << gain;
  if (getResidual() && getResidual().getType() != getInput().getType())
    return emitOpError("rms_norm_c2: expected a residual of ")
           << getInput().getType() << ", found " << getResidual().getType();
  return success();
}

LogicalResult LinearOp::verify() {
  if (failed(quantized::verifyProducts(*this, "linear", columns(getInput()),
                                       getEpilogueAttr(), getWeights(),
                                       getResults())))
    return failure();
  if (!quantized::isNorm(getGain(), getNormAttr(), columns(getInput())))
    return emitOpError("linear_c4: expected a gain of ")
           << columns(getInput()) << " with a norm, or neither";
  return success();
}

LogicalResult RopeAnglesOp::verify() {
  if (columns(getResult()) % 2)
    return emitOpError("rope_angles_c1: expected even head dim, found ")
           << columns(getResult());
  return success();
}

LogicalResult RopeOp::verify() {
  if (columns(getAngles()) <= 0 || columns(getInput()) % columns(getAngles()))
    return emitOpError("rope_c1: expected a multiple of ")
           << columns(getAngles()) << " columns, found " << columns(getInput());
  return success();
}

LogicalResult AttentionScoresOp::verify() {
  int64_t width = getHeadDim();
  if (columns(getKey()) < width || columns(getQuery()) % width ||
      columns(getKey()) % width)
    return emitOpError("attention_scores_c1: head_dim ")
           << width << " does not divide query columns " << columns(getQuery())
           << " and key columns " << columns(getKey());
  int64_t heads = columns(getQuery()) / width;
  int64_t found = cast<RankedTensorType>(getType()).getDimSize(1);
  if (heads % (columns(getKey()) / width) || found != heads)
    return emitOpError("attention_scores_c2: expected ")
           << heads << " heads in groups of " << columns(getKey()) / width
           << ", found " << found;
  return success();
}

LogicalResult AttentionValuesOp::verify() {
  int64_t heads =
      cast<RankedTensorType>(getProbabilities().getType()).getDimSize(1);
  int64_t out = columns(getResult()), value = columns(getValue());
  if (heads <= 0 || out < heads || out % heads || value < out / heads ||
      value % (out / heads) || heads % (value / (out / heads)))
    return emitOpError("attention_values_c1: ")
           << heads << " heads of " << out
           << " columns do not share value columns " << value;
  return success();
}

LogicalResult AttentionOp::verify() {
  int64_t width = getHeadDim();
  if (columns(getKey()) < width || columns(getQuery()) % width ||
      columns(getKey()) % width ||
      (columns(getQuery()) / width) % (columns(getKey()) / width))
    return emitOpError("attention_c1: head_dim ")
           << width << " does not split query columns " << columns(getQuery())
           << " and key columns " << columns(getKey());
  if (getKey().getType() != getValue().getType())
    return emitOpError("attention_c2: expected the key's type ")
           << getKey().getType() << ", found " << getValue().getType();
  if ((getQueryGain() && !getAngles()) ||
      (getAngles() && columns(getAngles()) != width) ||
      !quantized::isNorm(getQueryGain(), getNormAttr(), width) ||
      !quantized::isNorm(getKeyGain(), getNormAttr(), width))
    return emitOpError("attention_c3: expected angles of ")
           << width << " columns, and none or two gains of that length beside "
           << "them with a norm";
  return success();
}

// gemma.layer 3 (%x = %0, %a = %1) : (T0, T1) -> T { ... }
ParseResult LayerOp::parse(OpAsmParser &parser, OperationState &result) {
  int64_t layer;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  FunctionType type;
  if (parser.parseInteger(layer) ||
      parser.parseAssignmentList(arguments, operands) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(operands, type.getInputs(), parser.getNameLoc(),
                             result.operands))
    return failure();
  result.addAttribute("layer", parser.getBuilder().getI64IntegerAttr(layer));
  result.addTypes(type.getResults());
  for (auto [argument, input] : llvm::zip(arguments, type.getInputs()))
    argument.type = input;
  Region *body = result.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, arguments))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void LayerOp::print(OpAsmPrinter &printer) {
  printer << " " << getLayer() << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          printer << std::get<0>(pair) << " = "
                                  << std::get<1>(pair);
                        });
  printer << ") : ";
  printer.printFunctionalType(*this);
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"layer"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult LayerOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes())
    return emitOpError(
        "layer_c1: expected region arguments of the operands' "
        "types");
  // Runs before the trait that asks for a gemma.yield at the end.
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || !yield.getValue() || yield.getValue().getType() != getType())
    return emitOpError("layer_c2: expected gemma.yield of ") << getType();
  return success();
}
