// Matmuls of LowerToKernel: gemma.linear on floats, quantized.matmul on codes.
#include "compiler/lowering/FunctionLowering.h"

using namespace mlir;

namespace gemmac::lowering {

// Row blocks of 16 weight rows a tile: at least 64 tiles where there are as
// many blocks, so that threads share evenly, and at most 16 blocks, 1000 tiles
// of a 262144-row head, so that claiming stays below a thousandth of the time.
static int64_t rowBlocks(int64_t weightRows) {
  int64_t blocks = (weightRows + 15) / 16;
  return std::clamp<int64_t>(blocks / 64, 1, 16);
}

void FunctionLowering::matmul(Location loc, Value weight, Value in, Value out) {
  auto type = cast<quantized::TensorType>(weight.getType());
  auto chunk = b.getI64IntegerAttr(entry.chunkRows);
  auto blocks = b.getI64IntegerAttr(rowBlocks(type.rows()));
  Value tiles = kernel::MatmulTilesOp::create(b, loc, b.getIndexType(), rows,
                                              b.getI64IntegerAttr(type.rows()),
                                              chunk, blocks);
  phase(loc, tiles, [&](OpBuilder &b, Value tile) {
    kernel::MatmulTileOp::create(b, loc, weight, in, out, tile, rows, chunk,
                                 blocks);
  });
}

bool FunctionLowering::lowerMatmul(Operation *op) {
  if (auto linear = dyn_cast<gemma::LinearOp>(op)) {
    Value out = result(linear);
    matmul(op->getLoc(), lookup(linear.getWeight()), lookup(linear.getInput()),
           out);
    return true;
  }
  if (auto product = dyn_cast<quantized::MatmulOp>(op)) {
    Value out = result(product);
    matmul(op->getLoc(), lookup(product.getWeight()),
           lookup(product.getInput()), out);
    return true;
  }
  return false;
}

}  // namespace gemmac::lowering
