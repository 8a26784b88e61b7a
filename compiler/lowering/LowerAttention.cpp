// SPDX-License-Identifier: Apache-2.0
// Attention of LowerToKernel: keys and values go to the cache, then each row
// reads it: whole rows a tile in prefill, block by block and a fold for calls
// of few rows.
#include "compiler/lowering/FunctionLowering.h"
#include "runtime/include/gemma/ModelAbi.h"

using namespace mlir;

namespace gemmac::lowering {

constexpr int64_t kBlock = GEMMA_KV_BLOCK;

namespace {

int64_t columns(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getDimSize(1);
}

}  // namespace

// Keys and values of the call's rows to the cache; returns the query as the
// attention reads it.
Value FunctionLowering::lowerRotation(gemma::AttentionOp op, Value query) {
  Location loc = op.getLoc();
  auto optional = [&](Value v) { return v ? lookup(v) : Value(); };
  Value key = lookup(op.getKey()), value = lookup(op.getValue());
  Value angles = optional(op.getAngles());
  auto format = kernel::KvFormatAttr::get(b.getContext(), kv.getFormat());
  phase(loc, rows, [&](OpBuilder &b, Value t) {
    kernel::KvStoreRowOp::create(b, loc, step, key, value, t, cache,
                                 op.getHeadDimAttr(), format, angles,
                                 optional(op.getKeyGain()), op.getNormAttr());
  });
  if (!angles) return query;
  Value rotated = kernel::AllocOp::create(b, loc, query.getType(), step);
  phase(loc, rows, [&](OpBuilder &b, Value t) {
    kernel::RopeRowOp::create(b, loc, query, angles, rotated, t,
                              optional(op.getQueryGain()), op.getNormAttr());
  });
  return rotated;
}

// `pairs` rows and kv heads, of which each has tiles for all the blocks that a
// row of this call may see.
void FunctionLowering::lowerBlocks(gemma::AttentionOp op, Value query,
                                   Value out, int64_t kvHeads, Value pairs) {
  Location loc = op.getLoc();
  int64_t width = op.getHeadDim(), window = op.getWindow();
  int64_t heads = columns(query) / width;
  auto format = kernel::KvFormatAttr::get(b.getContext(), kv.getFormat());
  int64_t most = (kv.getPositions() + kBlock - 1) / kBlock;
  if (window > 0) most = std::min(most, (window - 1 + kBlock - 1) / kBlock + 1);
  auto mostAttr = b.getI64IntegerAttr(most);
  Value blocks = kernel::AttentionBlocksOp::create(b, loc, b.getIndexType(),
                                                   step, op.getWindowAttr());
  Value partials = kernel::AllocOp::create(
      b, loc,
      MemRefType::get({ShapedType::kDynamic,
                       heads * most * (width + kernel::kAttentionStateFloats)},
                      b.getF32Type()),
      step);
  Value tiles = arith::MulIOp::create(b, loc, pairs, blocks);
  phase(loc, tiles, [&](OpBuilder &b, Value tile) {
    kernel::AttentionBlockOp::create(
        b, loc, step, query, partials, tile, blocks, cache, op.getHeadDimAttr(),
        b.getI64IntegerAttr(kvHeads), mostAttr, op.getScaleAttr(),
        op.getSoftcapAttr(), op.getWindowAttr(), format);
  });
  phase(loc, rows, [&](OpBuilder &b, Value t) {
    kernel::AttentionFoldRowOp::create(b, loc, step, partials, out, t,
                                       op.getHeadDimAttr(), mostAttr,
                                       op.getWindowAttr());
  });
}

void FunctionLowering::lowerAttention(gemma::AttentionOp op) {
  Location loc = op.getLoc();
  Value query = lookup(op.getQuery()), out = result(op);
  int64_t kvHeads = columns(lookup(op.getKey())) / int64_t(op.getHeadDim());
  query = lowerRotation(op, query);
  // With one head a tile is a row: PlanPhases can put row operations behind it.
  Value pairs = rows;
  if (kvHeads > 1)
    pairs = arith::MulIOp::create(
        b, loc, rows, arith::ConstantIndexOp::create(b, loc, kvHeads));
  if (entry.attentionByBlock)
    return lowerBlocks(op, query, out, kvHeads, pairs);
  auto format = kernel::KvFormatAttr::get(b.getContext(), kv.getFormat());
  phase(loc, pairs, [&](OpBuilder &b, Value tile) {
    kernel::AttentionTileOp::create(
        b, loc, step, query, out, tile, cache, op.getHeadDimAttr(),
        b.getI64IntegerAttr(kvHeads), op.getScaleAttr(), op.getSoftcapAttr(),
        op.getWindowAttr(), format);
  });
}

}  // namespace gemmac::lowering
