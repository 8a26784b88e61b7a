// SPDX-License-Identifier: Apache-2.0
// The quantized dialect: registration, type syntax, verifiers.
#include "dialects/quantized/Quantized.h"

#include "dialects/quantized/PackedLayout.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace gemmac;
using namespace gemmac::quantized;

#include "dialects/quantized/QuantizedDialect.cpp.inc"

#include "dialects/quantized/QuantizedEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/quantized/QuantizedAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/quantized/QuantizedTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/quantized/QuantizedOps.cpp.inc"

void QuantizedDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/quantized/QuantizedAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/quantized/QuantizedTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/quantized/QuantizedOps.cpp.inc"
      >();
}

// Of a weight: above every matrix that a checkpoint may have, and so few that
// its bytes in any format are far inside i64.
static constexpr int64_t kMostElements = int64_t(1) << 48;

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
    if (!isSize(size))
      return error() << "tensor_c1: expected positive sizes below 2^31, found "
                     << size;
  if (shape.front() > kMostElements / shape.back())
    return error() << "tensor_c1: expected at most 2^48 elements, found "
                   << shape.front() << " x " << shape.back();
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
                                      int64_t columns, ActivationScheme) {
  if (!isSize(columns) || columns % 32)
    return error() << "activations_c1: expected a positive multiple of 32 "
                      "columns below 2^31, found "
                   << columns;
  return success();
}

LogicalResult quantized::verifyKnownAttributes(Operation *op) {
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (!attribute.getName().getValue().contains('.'))
      return op->emitOpError("expected no attribute '")
             << attribute.getName().getValue() << "', found "
             << attribute.getValue();
  return success();
}

static bool isFiniteF32(FloatAttr number) {
  return number && number.getType().isF32() && number.getValue().isFinite();
}

LogicalResult NormAttr::verify(function_ref<InFlightDiagnostic()> error,
                               FloatAttr eps, FloatAttr offset) {
  if (!isFiniteF32(eps) || !isFiniteF32(offset) ||
      !(eps.getValue().convertToFloat() > 0))
    return error() << "norm_c1: expected a finite eps > 0 and a finite "
                      "gain_offset of f32, found "
                   << eps << " and " << offset;
  return success();
}

// `<` part (`,` part)* `>`, a part being geglu, softcap = 1.0 : f32 or arg_max.
Attribute EpilogueAttr::parse(AsmParser &parser, Type) {
  bool geglu = false, argMax = false;
  FloatAttr softcap;
  auto parsePart = [&]() -> ParseResult {
    StringRef part;
    SMLoc place = parser.getCurrentLocation();
    if (parser.parseKeyword(&part)) return failure();
    bool again = (part == "geglu" && std::exchange(geglu, true)) ||
                 (part == "arg_max" && std::exchange(argMax, true)) ||
                 (part == "softcap" && softcap);
    if (again) return parser.emitError(place, "expected each part once");
    if (part == "softcap")
      return failure(parser.parseEqual() || parser.parseAttribute(softcap));
    if (part == "geglu" || part == "arg_max") return success();
    return parser.emitError(place)
           << "expected geglu, softcap or arg_max, found " << part;
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                     parsePart))
    return {};
  return getChecked([&] { return parser.emitError(parser.getNameLoc()); },
                    parser.getContext(), geglu, softcap, argMax);
}

void EpilogueAttr::print(AsmPrinter &printer) const {
  StringRef separator = "<";
  auto part = [&](StringRef name) -> AsmPrinter & {
    printer << separator << name;
    separator = ", ";
    return printer;
  };
  if (getGeglu()) part("geglu");
  if (getSoftcap()) part("softcap = ") << getSoftcap();
  if (getArgMax()) part("arg_max");
  printer << ">";
}

LogicalResult EpilogueAttr::verify(function_ref<InFlightDiagnostic()> error,
                                   bool geglu, FloatAttr softcap, bool argMax) {
  if (!geglu && !softcap && !argMax)
    return error() << "epilogue_c1: expected geglu, softcap or arg_max, found "
                      "none";
  if (geglu && (softcap || argMax))
    return error() << "epilogue_c1: expected geglu alone, found it beside "
                   << (softcap ? "softcap" : "arg_max");
  if (softcap &&
      (!isFiniteF32(softcap) || !(softcap.getValue().convertToFloat() > 0)))
    return error()
           << "epilogue_c2: expected a finite softcap > 0 of f32, found "
           << softcap;
  return success();
}

EpilogueAttr quantized::withGeglu(MLIRContext *context) {
  return EpilogueAttr::get(context, /*geglu=*/true, FloatAttr(), false);
}

EpilogueAttr quantized::withSoftcap(FloatAttr cap, EpilogueAttr base) {
  return EpilogueAttr::get(cap.getContext(), false, cap,
                           base && base.getArgMax());
}

EpilogueAttr quantized::withArgMax(MLIRContext *context, EpilogueAttr base) {
  return EpilogueAttr::get(context, false,
                           base ? base.getSoftcap() : FloatAttr(), true);
}

EpilogueAttr quantized::withoutArgMax(EpilogueAttr base) {
  if (!base || !base.getArgMax()) return base;
  if (!base.getSoftcap()) return {};
  return EpilogueAttr::get(base.getContext(), false, base.getSoftcap(), false);
}

LogicalResult SourceAttr::verify(function_ref<InFlightDiagnostic()> error,
                                 int64_t file, int64_t offset, int64_t bytes,
                                 StringRef format) {
  if (file < 0 || offset < 0 || bytes < 0)
    return error() << "source_c1: expected no negative number, found file "
                   << file << ", offset " << offset << " and bytes " << bytes;
  if (!lookupFormat(format))
    return error() << "source_c2: unknown weight format '" << format << "'";
  return success();
}

void WeightOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                     quantized::TensorType type, SourceAttr source, Role role) {
  MLIRContext *context = builder.getContext();
  Layout layout = type.isVector() ? Layout::Dense : Layout::RowsInLanes;
  build(builder, state, builder.getStringAttr(name), TypeAttr::get(type),
        builder.getArrayAttr(source), LayoutAttr::get(context, layout),
        RoleAttr::get(context, role), builder.getArrayAttr({}),
        /*packed_offset=*/IntegerAttr());
}

LogicalResult WeightOp::verify() {
  quantized::TensorType type = getTensorType();
  if (getSources().size() != 1)
    return emitOpError("weight_c1: expected one source, found ")
           << getSources().size();
  SourceAttr source = getSource();
  const WeightFormat *format = lookupFormat(source.getFormat());
  if (type.columns() % format->blockColumns())
    return emitOpError("weight_c2: expected columns in multiples of ")
           << format->blockColumns() << " for " << source.getFormat()
           << ", found " << type.columns();
  int64_t rows = type.isVector() ? 1 : type.rows();
  int64_t expected = format->sourceBytes(rows, type.columns());
  if (source.getBytes() != expected)
    return emitOpError("weight_c2: expected ")
           << expected << " source bytes, found " << source.getBytes();
  Layout layout = type.isVector() ? Layout::Dense : Layout::RowsInLanes;
  if (getLayout() != layout)
    return emitOpError("weight_c3: expected layout ")
           << stringifyLayout(layout) << " for " << type << ", found "
           << stringifyLayout(getLayout());
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

int64_t quantized::packedBytes(quantized::TensorType type) {
  if (type.isVector()) return type.columns() * int64_t(sizeof(float));
  return packedMatrixBytes(*lookupFormat(type.getFormat()), type.rows(),
                           type.columns());
}

bool quantized::isNorm(Value gain, NormAttr norm, int64_t columns) {
  if (!gain || !norm) return !gain && !norm;
  auto type = cast<quantized::TensorType>(gain.getType());
  return type.isVector() && type.columns() == columns;
}

LogicalResult quantized::verifyProducts(Operation *op, StringRef name,
                                        int64_t columns, EpilogueAttr epilogue,
                                        ValueRange weights,
                                        ValueRange results) {
  bool geglu = epilogue && epilogue.getGeglu();
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
  if (epilogue && epilogue.getArgMax()) {
    if (rows.size() != 1 || rows[0] > kArgMaxRows || widths.size() != 2 ||
        widths[1] != 2)
      return error("c5") << "expected one weight of at most " << kArgMaxRows
                         << " rows and a second result of 2 columns";
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
  return success();
}

LogicalResult QuantizeActivationOp::verify() {
  int64_t columns = cast<RankedTensorType>(getInput().getType()).getDimSize(1);
  if (columns != getType().getColumns())
    return emitOpError("quantize_activation_c1: expected ")
           << columns << " columns, found " << getType().getColumns();
  if (!isNorm(getGain(), getNormAttr(), columns))
    return emitOpError("quantize_activation_c2: expected a gain of ")
           << columns << " with a norm, or neither";
  return success();
}

LogicalResult MatmulOp::verify() {
  if (failed(verifyProducts(*this, "matmul", getInput().getType().getColumns(),
                            getEpilogueAttr(), getWeights(), getResults())))
    return failure();
  for (Value weight : getWeights()) {
    StringRef format =
        cast<quantized::TensorType>(weight.getType()).getFormat();
    if (lookupFormat(format)->isFloat())
      return emitOpError(
                 "matmul_c4: expected a format with integer codes, "
                 "found ")
             << format;
  }
  return success();
}
