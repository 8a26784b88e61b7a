// SPDX-License-Identifier: Apache-2.0
// The kernel dialect: registration and verifiers.
#include "dialects/kernel/Kernel.h"

#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace gemmac::kernel;

#include "dialects/kernel/KernelDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"

void KernelDialect::initialize() {
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
  auto models = module.getOps<ModelOp>();
  if (!models.empty()) return *models.begin();
  module.emitError("expected a kernel.model op");
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

LogicalResult ArenaOp::verify() {
  if (int64_t(getOffset()) < 0 || getOffset() % 64)
    return emitOpError("arena_c1: expected a multiple of 64, found ")
           << int64_t(getOffset());
  return success();
}

LogicalResult ModelOp::verify() {
  for (auto [index, layer] : llvm::enumerate(getKvLayers())) {
    auto fields = dyn_cast<DictionaryAttr>(layer);
    if (!fields)
      return emitOpError("model_c1: expected a dictionary as entry ")
             << index << " of kv_layers, found " << layer;
    for (StringRef name :
         {"first_slot", "ring_blocks", "window", "block_bytes"}) {
      auto value = fields.getAs<IntegerAttr>(name);
      if (!value || !value.getType().isSignlessInteger(64))
        return emitOpError("model_c1: expected an i64 '")
               << name << "' in entry " << index << " of kv_layers, found "
               << layer;
      int64_t least = name == "ring_blocks" ? 1 : 0;
      if (value.getInt() < least)
        return emitOpError("model_c2: expected '")
               << name << "' of at least " << least << " in entry " << index
               << " of kv_layers, found " << value.getInt();
    }
  }
  return success();
}

LogicalResult AttentionBlockOp::verify() {
  int64_t width = getHeadDim(), kvHeads = getKvHeads(), most = getMaxBlocks();
  if (width <= 0 || kvHeads <= 0 || most <= 0)
    return emitOpError(
               "attention_block_c2: expected positive head_dim, kv_heads and "
               "max_blocks, found ")
           << width << ", " << kvHeads << " and " << most;
  int64_t queryColumns = getQuery().getType().getDimSize(1);
  if (queryColumns % width || queryColumns / width % kvHeads)
    return emitOpError(
               "attention_block_c2: expected query columns that are a multiple "
               "of head_dim x kv_heads, found ")
           << queryColumns << ", " << width << " and " << kvHeads;
  int64_t columns =
      queryColumns / width * most * (width + kAttentionStateFloats);
  int64_t found = getPartials().getType().getDimSize(1);
  if (found != columns)
    return emitOpError("attention_block_c1: expected partials of ")
           << columns << " columns, found " << found;
  return success();
}

LogicalResult ArgMaxRowOp::verify() {
  int64_t in = getIn().getType().getDimSize(1);
  int64_t out = getOut().getType().getDimSize(1);
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
      isFloat ? weight.columns() : activationRowBytes(weight.columns());
  if (weight.isVector() || in.getElementType().isF32() != isFloat ||
      in.getDimSize(1) != columns)
    return emitOpError("matmul_tile_c1: expected ")
           << (isFloat ? "f32" : "i8") << " input of " << columns
           << " columns for " << weight << ", found " << in;
  if (int64_t(getChunkRows()) <= 0 || int64_t(getRowBlocks()) <= 0)
    return emitOpError(
        "matmul_tile_c2: expected positive chunk_rows and "
        "row_blocks");
  bool codes = !out.getElementType().isF32();
  if (codes && (!getUp() || weight.rows() % 32 || getRowBlocks() % 2))
    return emitOpError(
               "matmul_tile_c5: expected codes of a gated pair of 32 n rows in "
               "an even number of row blocks, found ")
           << weight << ", row_blocks " << getRowBlocks();
  int64_t width = getArgMax() ? 2 * matmulTiles(weight.rows(), getRowBlocks())
                  : codes     ? activationRowBytes(weight.rows())
                              : weight.rows();
  if (out.getDimSize(1) != width)
    return emitOpError("matmul_tile_c1: expected output of ")
           << width << " columns, found " << out.getDimSize(1);
  if (getArgMax() && getUp())
    return emitOpError("matmul_tile_c4: expected arg_max without geglu");
  if (auto up = getUp()) {
    quantized::TensorType type = up.getType();
    if (type.getShape() != weight.getShape() ||
        quantized::lookupFormat(type.getFormat())->isFloat() != isFloat)
      return emitOpError("matmul_tile_c3: expected a twin of ")
             << weight << ", found " << type;
  }
  return success();
}
