// SPDX-License-Identifier: Apache-2.0
// Matmuls of LowerToKernel: gemma.linear on floats, quantized.matmul on codes.
#include "compiler/lowering/FunctionLowering.h"

using namespace mlir;

namespace gemmac::lowering {

// Row blocks a tile: enough tiles that threads share evenly, as large as
// claiming them wants (the target says both). Of a gated pair an even number,
// for QuantizeTiles.
int64_t FunctionLowering::rowBlocks(int64_t weightRows, bool gated) const {
  int64_t blocks = (weightRows + 15) / 16;
  int64_t each = std::clamp<int64_t>(blocks / entry.tiles.leastTiles, 1,
                                     entry.tiles.mostRowBlocks);
  return gated ? each + each % 2 : each;
}

// Room for a pair of floats a tile.
Value FunctionLowering::candidates(quantized::TensorType weight) {
  int64_t pairs = kernel::matmulTiles(weight.rows(), rowBlocks(weight.rows()));
  auto type =
      MemRefType::get({ShapedType::kDynamic, 2 * pairs}, b.getF32Type());
  return kernel::AllocOp::create(b, step.getLoc(), type, step);
}

// An entry point that wants the second result of arg_max writes no products:
// each tile leaves a candidate, and a small phase chooses among them.
void FunctionLowering::matmul(Location loc, const Products &products) {
  auto chunk = b.getI64IntegerAttr(entry.chunkRows);
  quantized::EpilogueAttr epilogue = products.epilogue;
  bool geglu = epilogue && epilogue.getGeglu();
  size_t count = geglu ? 1 : products.weights.size();
  bool argMax =
      epilogue && epilogue.getArgMax() && values.contains(products.results[1]);
  if (!argMax) epilogue = quantized::withoutArgMax(epilogue);
  SmallVector<Value> tiles, outs;
  for (size_t i = 0; i < count; ++i) {
    auto type = cast<quantized::TensorType>(products.weights[i].getType());
    outs.push_back(argMax ? candidates(type) : result(products.results[i]));
    tiles.push_back(kernel::MatmulTilesOp::create(
        b, loc, b.getIndexType(), rows, b.getI64IntegerAttr(type.rows()), chunk,
        b.getI64IntegerAttr(rowBlocks(type.rows(), geglu))));
  }
  phase(loc, tiles, [&](OpBuilder &b, size_t i, Value tile) {
    auto type = cast<quantized::TensorType>(products.weights[i].getType());
    Value up = geglu ? products.weights[1] : Value();
    kernel::MatmulTileOp::create(b, loc, products.weights[i], products.input,
                                 outs[i], tile, rows, entry.chunkRows,
                                 rowBlocks(type.rows(), geglu), up, epilogue);
  });
  if (!argMax) return;
  Value out = result(products.results[1]);
  phase(loc, rows, [&](OpBuilder &b, Value t) {
    kernel::ArgMaxRowOp::create(b, loc, outs[0], out, t);
  });
}

bool FunctionLowering::lowerMatmul(Operation *op) {
  auto buffers = [&](ValueRange values) {
    return llvm::map_to_vector(values, [&](Value v) { return lookup(v); });
  };
  if (auto linear = dyn_cast<gemma::LinearOp>(op)) {
    Value input = lookup(linear.getInput());
    if (Value gain = linear.getGain()) {
      Value in = input;
      input = kernel::AllocOp::create(b, op->getLoc(), in.getType(), step);
      phase(op->getLoc(), rows, [&](OpBuilder &b, Value t) {
        kernel::RmsNormRowOp::create(b, op->getLoc(), in, lookup(gain), input,
                                     t, *linear.getNorm(), Value());
      });
    }
    matmul(op->getLoc(), {input, buffers(linear.getWeights()),
                          linear.getResults(), linear.getEpilogueAttr()});
    return true;
  }
  if (auto product = dyn_cast<quantized::MatmulOp>(op)) {
    matmul(op->getLoc(),
           {lookup(product.getInput()), buffers(product.getWeights()),
            product.getResults(), product.getEpilogueAttr()});
    return true;
  }
  return false;
}

}  // namespace gemmac::lowering
