// SPDX-License-Identifier: Apache-2.0
// The kernel dialect: registration and verifiers.
#include "dialects/kernel/Kernel.h"

#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace gemmac::kernel;

#include "dialects/kernel/KernelDialect.cpp.inc"

#include "dialects/kernel/KernelEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"

void KernelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/KernelAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/kernel/KernelTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/KernelOps.cpp.inc"
      >();
}

ModelOp gemmac::kernel::findModel(ModuleOp module) {
  auto models = llvm::to_vector(module.getOps<ModelOp>());
  if (models.size() == 1) return models.front();
  module.emitError("expected one kernel.model op, found ") << models.size();
  return {};
}

SmallVector<std::pair<StringRef, StringRef>> gemmac::kernel::entryPoints(
    ModelOp model) {
  return {{"decode", model.getDecode()},
          {"batch", model.getBatch()},
          {"prefill", model.getPrefill()},
          {"head", model.getHead()},
          {"arg_max", model.getArgMax().value_or("")}};
}

LogicalResult PhaseOp::verify() {
  if ((*this)->getParentOfType<PhaseOp>())
    return emitOpError("phase_c2: expected no phase around a phase");
  if (getSegments().size() != getTiles().size() || getSegments().empty())
    return emitOpError("phase_c1: expected one region a tile count, found ")
           << getSegments().size() << " regions for " << getTiles().size()
           << " counts";
  for (Region &segment : getSegments())
    if (segment.getNumArguments() != 1 ||
        !segment.getArgument(0).getType().isIndex())
      return emitOpError("phase_c1: expected one index argument a region");
  return success();
}

LogicalResult KernelDialect::verifyOperationAttribute(
    Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto fail = [&](StringRef expected) {
    return op->emitOpError() << "expected '" << name << "' to be " << expected
                             << ", found " << value;
  };
  if (name == KvPlanAttr::kModuleAttribute)
    return isa<KvPlanAttr>(value) ? success() : fail("a #kernel.kv_plan");
  if (name == kMaxRows) {
    auto rows = dyn_cast<IntegerAttr>(value);
    bool good = rows && rows.getType().isSignlessInteger(64) &&
                quantized::isSize(rows.getInt());
    return good ? success() : fail("a number of rows > 0 and below 2^31");
  }
  return op->emitOpError() << "'" << name
                           << "' is no attribute of the kernel dialect";
}

LogicalResult KvLayerAttr::verify(function_ref<InFlightDiagnostic()> error,
                                  int64_t firstSlot, int64_t ringBlocks,
                                  int64_t window, int64_t blockBytes) {
  // 2^40 bytes a block, so that a session's bytes stay far inside i64.
  bool inRange = window <= INT32_MAX && blockBytes <= int64_t(1) << 40;
  if (firstSlot < 0 || ringBlocks < 1 || window < 0 || blockBytes < 1 ||
      !inRange)
    return error() << "kv_layer_c1: expected first_slot and window >= 0, "
                      "ring_blocks > 0 and block_bytes of 1 to 2^40, found "
                   << firstSlot << ", " << window << ", " << ringBlocks
                   << " and " << blockBytes;
  return success();
}

LogicalResult KvPlanAttr::verify(function_ref<InFlightDiagnostic()> error,
                                 KvFormat, int64_t positions, int64_t slots,
                                 ArrayRef<KvLayerAttr> layers) {
  if (!quantized::isSize(positions) || slots < 0 || slots > INT32_MAX)
    return error() << "kv_plan_c1: expected positions > 0 and slots >= 0, "
                      "below 2^31, found "
                   << positions << " and " << slots;
  for (auto [cache, layer] : llvm::enumerate(layers))
    if (layer.getFirstSlot() > slots ||
        layer.getRingBlocks() > slots - layer.getFirstSlot())
      return error() << "kv_plan_c2: expected rings within " << slots
                     << " slots, found layer " << cache << " at "
                     << layer.getFirstSlot() << " of " << layer.getRingBlocks();
  return success();
}

LogicalResult ModelOp::verifySymbolUses(SymbolTableCollection &tables) {
  for (auto [name, symbol] : entryPoints(*this)) {
    if (symbol.empty()) continue;
    auto function = tables.lookupNearestSymbolFrom<func::FuncOp>(
        *this, FlatSymbolRefAttr::get(getContext(), symbol));
    Type step = StepType::get(getContext());
    if (!function || function.getNumResults() ||
        function.getArgumentTypes() != ArrayRef(step))
      return emitOpError("model_c1: expected '")
             << name << "' to be a function of " << step << ", found @"
             << symbol;
  }
  return success();
}

LogicalResult CallLayerOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto callee =
      tables.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  SmallVector<Type> inputs(getInputs().getTypes());
  inputs.append(2, IndexType::get(getContext()));
  auto type = FunctionType::get(getContext(), inputs, getResultTypes());
  if (!callee)
    return emitOpError("call_layer_c1: expected ")
           << getCalleeAttr() << " to be a function of " << type
           << ", found no function";
  if (callee.getFunctionType() != type)
    return emitOpError("call_layer_c1: expected ")
           << getCalleeAttr() << " to be a function of " << type << ", found "
           << callee.getFunctionType();
  if (!callee.isDeclaration() &&
      callee.walk([](CallLayerOp) { return WalkResult::interrupt(); })
          .wasInterrupted())
    return emitOpError("call_layer_c2: expected no call of a layer in ")
           << getCalleeAttr();
  if ((*this)->getParentOfType<PhaseOp>())
    return emitOpError("call_layer_c3: expected no phase around a call");
  return success();
}

func::FuncOp gemmac::kernel::lookupLayer(CallLayerOp call) {
  auto module = call->getParentOfType<ModuleOp>();
  auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
  return callee && !callee.isDeclaration() ? callee : func::FuncOp();
}

void gemmac::kernel::walkWithLayers(
    ModuleOp module, StringRef entry,
    function_ref<void(Operation *, int64_t)> visit) {
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isDeclaration()) return;
  for (Operation &op : function.getBody().front()) {
    auto call = dyn_cast<CallLayerOp>(op);
    if (!call) {
      visit(&op, 0);
      continue;
    }
    func::FuncOp layer = lookupLayer(call);
    if (!layer) continue;
    APInt index(64, 0);
    matchPattern(call.getIndex(), m_ConstantInt(&index));
    for (Operation &inner : layer.getBody().front())
      visit(&inner, index.getSExtValue());
  }
}

static int64_t columns(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getDimSize(1);
}

LogicalResult EmbedRowOp::verify() {
  auto weight = getWeight().getType();
  if (weight.isVector() || weight.columns() != columns(getOut()))
    return emitOpError("embed_row_c1: expected a matrix of ")
           << columns(getOut()) << " columns, found " << weight;
  return success();
}

LogicalResult RopeAnglesRowOp::verify() {
  if (columns(getOut()) % 2 || columns(getOut()) > kMostAngles)
    return emitOpError("rope_angles_row_c1: expected even columns of at most ")
           << kMostAngles << ", found " << columns(getOut());
  return success();
}

LogicalResult RmsNormRowOp::verify() {
  auto gain = getGain().getType();
  if (!gain.isVector() || columns(getIn()) % gain.columns())
    return emitOpError(
               "rms_norm_row_c1: expected a vector whose length divides ")
           << columns(getIn()) << ", found " << gain;
  if (getResidual() && getResidual().getType() != getIn().getType())
    return emitOpError("rms_norm_row_c2: expected a residual of ")
           << getIn().getType() << ", found " << getResidual().getType();
  return success();
}

LogicalResult QuantizeRowOp::verify() {
  int64_t row = columns(getIn());
  int64_t bytes = quantized::ActivationLayout(row).rowBytes();
  if (row % quantized::ActivationLayout::kGroup || columns(getOut()) != bytes)
    return emitOpError("quantize_row_c1: expected rows of 32 n columns and ")
           << bytes << " bytes of codes, found " << row << " and "
           << columns(getOut());
  if (!quantized::isNorm(getGain(), getNormAttr(), row))
    return emitOpError("quantize_row_c2: expected a gain of ")
           << row << " with a norm, or neither";
  return success();
}

LogicalResult RopeRowOp::verify() {
  int64_t width = columns(getAngles());
  if (width % 2 || columns(getIn()) % width)
    return emitOpError(
               "rope_row_c1: expected even columns of angles that "
               "divide ")
           << columns(getIn()) << ", found " << width;
  if (!quantized::isNorm(getGain(), getNormAttr(), width))
    return emitOpError("rope_row_c2: expected a gain of ")
           << width << " with a norm, or neither";
  return success();
}

LogicalResult KvStoreRowOp::verify() {
  int64_t width = getHeadDim();
  if (columns(getKey()) % width)
    return emitOpError("kv_store_row_c1: expected columns that ")
           << width << " divides, found " << columns(getKey());
  bool angles = bool(getAngles());
  if ((angles && (width % 2 || columns(getAngles()) != width)) ||
      (getGain() && !angles) ||
      !quantized::isNorm(getGain(), getNormAttr(), width))
    return emitOpError("kv_store_row_c2: expected angles of ")
           << width << " columns, an even number, and a gain of that length "
           << "beside them with a norm, or neither";
  return success();
}

// Of attention_tile and attention_block: how heads share the query's columns.
template <typename Attention>
static LogicalResult verifyHeads(Attention op, StringRef constraint) {
  int64_t width = op.getHeadDim(), kvHeads = op.getKvHeads();
  int64_t query = columns(op.getQuery());
  if (query % width || query / width % kvHeads)
    return op.emitOpError()
           << constraint
           << ": expected query columns that are a multiple of head_dim x "
              "kv_heads, found "
           << query << ", " << width << " and " << kvHeads;
  int64_t sharing = query / width / kvHeads;
  if (sharing > kMostSharing)
    return op.emitOpError()
           << constraint << ": expected at most " << kMostSharing
           << " query heads a kv head, found " << sharing;
  return success();
}

LogicalResult AttentionTileOp::verify() {
  return verifyHeads(*this, "attention_tile_c1");
}

LogicalResult AttentionBlockOp::verify() {
  if (failed(verifyHeads(*this, "attention_block_c2"))) return failure();
  int64_t width = getHeadDim(), most = getMaxBlocks();
  int64_t expected =
      columns(getQuery()) / width * most * (width + kAttentionStateFloats);
  if (columns(getPartials()) != expected)
    return emitOpError("attention_block_c1: expected partials of ")
           << expected << " columns, found " << columns(getPartials());
  return success();
}

LogicalResult AttentionFoldRowOp::verify() {
  int64_t width = getHeadDim(), most = getMaxBlocks();
  if (columns(getOut()) % width)
    return emitOpError("attention_fold_row_c1: expected columns that ")
           << width << " divides, found " << columns(getOut());
  int64_t expected =
      columns(getOut()) / width * most * (width + kAttentionStateFloats);
  if (columns(getPartials()) != expected)
    return emitOpError("attention_fold_row_c2: expected partials of ")
           << expected << " columns, found " << columns(getPartials());
  return success();
}

LogicalResult ArgMaxRowOp::verify() {
  int64_t in = columns(getIn()), out = columns(getOut());
  if (in <= 0 || in % 2 || out != 2)
    return emitOpError("arg_max_row_c1: expected pairs and output of 2 columns")
           << ", found " << in << " and " << out << " columns";
  return success();
}

LogicalResult MatmulTileOp::verify() {
  auto weight = getWeight().getType();
  auto in = cast<MemRefType>(getIn().getType());
  auto out = cast<MemRefType>(getOut().getType());
  bool isFloat = quantized::lookupFormat(weight.getFormat())->isFloat();
  int64_t columns =
      isFloat ? weight.columns()
              : quantized::ActivationLayout(weight.columns()).rowBytes();
  if (weight.isVector() || in.getElementType().isF32() != isFloat ||
      in.getDimSize(1) != columns)
    return emitOpError("matmul_tile_c1: expected ")
           << (isFloat ? "f32" : "i8") << " input of " << columns
           << " columns for " << weight << ", found " << in;
  bool codes = !out.getElementType().isF32();
  if (codes && (!getUp() || weight.rows() % 32 || getRowBlocks() % 2))
    return emitOpError(
               "matmul_tile_c4: expected codes of a gated pair of 32 n rows in "
               "an even number of row blocks, found ")
           << weight << ", row_blocks " << getRowBlocks();
  int64_t width = getArgMax() ? 2 * matmulTiles(weight.rows(), getRowBlocks())
                  : codes
                      ? quantized::ActivationLayout(weight.rows()).rowBytes()
                      : weight.rows();
  if (out.getDimSize(1) != width)
    return emitOpError("matmul_tile_c1: expected output of ")
           << width << " columns, found " << out.getDimSize(1);
  if (getGeglu() != bool(getUp()))
    return emitOpError(
        "matmul_tile_c3: expected a second weight with a geglu "
        "epilogue, found one without the other");
  if (auto up = getUp()) {
    quantized::TensorType type = up.getType();
    if (type.getShape() != weight.getShape() ||
        quantized::lookupFormat(type.getFormat())->isFloat() != isFloat)
      return emitOpError("matmul_tile_c2: expected a twin of ")
             << weight << ", found " << type;
  }
  return success();
}
