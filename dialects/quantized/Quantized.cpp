// SPDX-License-Identifier: Apache-2.0
// The quantized dialect: registration, type syntax, verifiers.
#include "dialects/quantized/Quantized.h"

#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace gemmac;
using namespace gemmac::quantized;

#include "dialects/quantized/QuantizedDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/quantized/QuantizedTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/quantized/QuantizedOps.cpp.inc"

void QuantizedDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/quantized/QuantizedTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/quantized/QuantizedOps.cpp.inc"
      >();
}

// `<` 1024x640, q5_0 `>`
Type gemmac::quantized::TensorType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  StringRef format;
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                /*withTrailingX=*/false) ||
      parser.parseComma() || parser.parseKeyword(&format) ||
      parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(parser.getNameLoc()); },
                    parser.getContext(), shape, format);
}

void gemmac::quantized::TensorType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << ", " << getFormat() << ">";
}

LogicalResult gemmac::quantized::TensorType::verify(
    function_ref<InFlightDiagnostic()> error, ArrayRef<int64_t> shape,
    StringRef format) {
  if (shape.empty() || shape.size() > 2)
    return error() << "tensor_c1: expected one or two dimensions, found "
                   << shape.size();
  for (int64_t size : shape)
    if (size <= 0)
      return error() << "tensor_c1: expected positive sizes, found " << size;
  const WeightFormat *known = lookupFormat(format);
  if (!known)
    return error() << "tensor_c2: unknown weight format '" << format << "'";
  if (shape.back() % known->blockColumns())
    return error() << "tensor_c3: expected columns in multiples of "
                   << known->blockColumns() << " for " << format << ", found "
                   << shape.back();
  return success();
}

LogicalResult ActivationsType::verify(function_ref<InFlightDiagnostic()> error,
                                      int64_t columns) {
  if (columns <= 0 || columns % 32)
    return error() << "activations_c1: expected a positive multiple of 32 "
                      "columns, found "
                   << columns;
  return success();
}

LogicalResult WeightOp::verify() {
  quantized::TensorType type = getTensorType();
  const WeightFormat *source = lookupFormat(getSourceFormat());
  if (!source)
    return emitOpError("weight_c1: unknown source format '")
           << getSourceFormat() << "'";
  if (type.columns() % source->blockColumns())
    return emitOpError("weight_c2: expected columns in multiples of ")
           << source->blockColumns() << " for " << getSourceFormat()
           << ", found " << type.columns();
  int64_t rows = type.isVector() ? 1 : type.rows();
  int64_t expected = source->sourceBytes(rows, type.columns());
  if (int64_t(getSourceBytes()) != expected)
    return emitOpError("weight_c2: expected ")
           << expected << " source bytes, found " << getSourceBytes();
  return success();
}

LogicalResult WeightTableOp::verifySymbolUses(SymbolTableCollection &tables) {
  for (Attribute entry : getWeights()) {
    auto symbol = cast<FlatSymbolRefAttr>(entry);
    auto weight = tables.lookupNearestSymbolFrom<WeightOp>(*this, symbol);
    if (!weight)
      return emitOpError("weight_table_c1: no quantized.weight named ")
             << symbol;
    if (weight.getTensorType() != getType())
      return emitOpError("weight_table_c1: expected type ")
             << getType() << ", found " << weight.getTensorType();
  }
  return success();
}

LogicalResult ReferenceOp::verifySymbolUses(SymbolTableCollection &tables) {
  Operation *target = tables.lookupNearestSymbolFrom(*this, getSymbolAttr());
  Type found;
  if (auto weight = dyn_cast_or_null<WeightOp>(target); weight && !getIndex())
    found = weight.getTensorType();
  else if (auto table = dyn_cast_or_null<WeightTableOp>(target);
           table && getIndex())
    found = table.getType();
  if (!found)
    return emitOpError("reference_c1: no ")
           << (getIndex() ? "quantized.weight_table" : "quantized.weight")
           << " named " << getSymbolAttr();
  if (found != getType())
    return emitOpError("reference_c1: expected type ")
           << found << ", found " << getType();
  return success();
}

bool quantized::isNorm(quantized::TensorType gain, int64_t columns,
                       FloatAttr eps, FloatAttr offset) {
  return gain.isVector() && gain.columns() == columns && eps && offset &&
         eps.getValue().convertToFloat() > 0;
}

LogicalResult quantized::verifyProducts(Operation *op, StringRef name,
                                        int64_t columns, bool geglu,
                                        FloatAttr softcap, bool argMax,
                                        ValueRange weights,
                                        ValueRange results) {
  auto error = [&](StringRef constraint) {
    return op->emitOpError() << name << "_" << constraint << ": ";
  };
  SmallVector<int64_t> rows, widths;
  for (Value weight : weights) {
    auto type = cast<quantized::TensorType>(weight.getType());
    if (type.isVector() || type.columns() != columns)
      return error("c1") << "expected a matrix of " << columns
                         << " columns, found " << type;
    rows.push_back(type.rows());
  }
  if (rows.empty()) return error("c1") << "expected a weight, found none";
  for (Value result : results)
    widths.push_back(cast<RankedTensorType>(result.getType()).getDimSize(1));
  if (argMax) {
    if (geglu || rows.size() != 1 || rows[0] > kArgMaxRows ||
        widths.size() != 2 || widths[1] != 2)
      return error("c6") << "expected one weight of at most " << kArgMaxRows
                         << " rows, a second result of 2 columns and no geglu";
    widths.pop_back();
  }
  if (geglu && (rows.size() != 2 || widths.size() != 1 || rows[0] != rows[1] ||
                widths[0] != rows[0]))
    return error("c3") << "expected two weights and one result of one height";
  if (!geglu && rows.size() != widths.size())
    return error("c2") << "expected " << rows.size() << " results, found "
                       << widths.size();
  for (auto [row, width] : llvm::zip(rows, widths))
    if (row != width)
      return error("c2") << "expected " << width << " weight rows, found "
                         << row;
  if (softcap && (geglu || !(softcap.getValue().convertToFloat() > 0)))
    return error("c4") << "expected softcap > 0 and no geglu";
  return success();
}

LogicalResult QuantizeActivationOp::verify() {
  int64_t columns = cast<RankedTensorType>(getInput().getType()).getDimSize(1);
  if (columns != getType().getColumns())
    return emitOpError("quantize_activation_c1: expected ")
           << columns << " columns, found " << getType().getColumns();
  if (getGain() &&
      !isNorm(getGain().getType(), columns, getEpsAttr(), getGainOffsetAttr()))
    return emitOpError("quantize_activation_c2: expected a gain of ")
           << columns << " with eps > 0 and gain_offset";
  return success();
}

LogicalResult MatmulOp::verify() {
  if (failed(verifyProducts(*this, "matmul", getInput().getType().getColumns(),
                            getGeglu(), getSoftcapAttr(), getArgMax(),
                            getWeights(), getResults())))
    return failure();
  for (Value weight : getWeights()) {
    StringRef format =
        cast<quantized::TensorType>(weight.getType()).getFormat();
    if (lookupFormat(format)->isFloat())
      return emitOpError(
                 "matmul_c5: expected a format with integer codes, "
                 "found ")
             << format;
  }
  return success();
}
