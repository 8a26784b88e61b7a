// SPDX-License-Identifier: Apache-2.0
// See MatmulKernels.h.
#include "targets/cpu/MatmulKernels.h"

#include "targets/cpu/MatmulBlock.h"
#include "targets/cpu/MatmulEpilogue.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// A tile operation: its products, what follows them, and the scratch that they
// need: a panel with an engine's products, with an epilogue a tile for each
// product, and what the epilogue's destination keeps.
struct Tile {
  Tile(kernel::MatmulTileOp op, const CpuKernels &cpu)
      : epilogue(op), whole(op, op.getWeight()), products{whole} {
    if (op.getUp()) products.push_back(Matmul(op, op.getUp()));
    for (Matmul &mm : products) {
      name += "_" + mm.shape();
      panelBytes =
          std::max(panelBytes, mm.panelBytes(cpu) + 2 * mm.productBytes(cpu));
      if (epilogue.any()) mm.goToScratch();
    }
    name += "_c" + std::to_string(whole.chunkRows) + "_b" +
            std::to_string(whole.rowBlocks) + epilogue.name();
    if (epilogue.any()) tileBytes = whole.chunkRows * kLanes * 4;
  }
  int64_t productsEnd() const {
    return panelBytes + int64_t(products.size()) * tileBytes;
  }
  int64_t scratchBytes() const {
    return productsEnd() + Destination::scratchBytes(epilogue, whole.chunkRows);
  }
  Epilogue epilogue;
  Matmul whole;                  // where its results go in the end
  SmallVector<Matmul> products;  // where they go at first
  std::string name = "matmul";
  int64_t panelBytes = 0, tileBytes = 0;
};

// The body of a tile's kernel; its arguments are lowerMatmulTile's operands.
class TileEmission {
 public:
  TileEmission(Emitter &e, KernelLibrary &library, const Tile &plan,
               ValueRange arguments)
      : e(e),
        library(library),
        plan(plan),
        in(arguments[2]),
        out(arguments[3]),
        weights{arguments[1], arguments.back()},
        scratch(scratchPointer(e, arguments[0])) {
    tiles = kernel::matmulTiles(plan.whole.n, plan.whole.rowBlocks);
    Value tile = arguments[4], rows = arguments[5];
    Value chunk = e.divC(tile, tiles);
    number = e.remC(tile, tiles);
    from = e.mul(chunk, e.c64(plan.whole.chunkRows));
    end = e.minI(rows, e.add(from, e.c64(plan.whole.chunkRows)));
    firstBlock = e.mul(number, e.c64(plan.whole.rowBlocks));
    endBlock = e.minI(e.c64(plan.whole.blocks),
                      e.add(firstBlock, e.c64(plan.whole.rowBlocks)));
  }

  void emit() {
    if (plan.epilogue.any()) return emitFinished();
    e.loop(firstBlock, endBlock, 1, [&](Value block) {
      emitProducts(plan.whole, weights[0], outOf(block), block);
    });
  }

 private:
  Value outOf(Value block) {
    return e.at(out, e.mul(block, e.c64(kLanes * 4)));
  }

  // A block's products of all rows, from `to` on.
  void emitProducts(const Matmul &mm, Value weight, Value to, Value block) {
    Value rowBlock = e.at(weight, e.mul(block, e.c64(mm.blockBytes)));
    emitBlock(e, library, mm, {rowBlock, in, to, from, end, block}, scratch);
  }

  void emitFinished() {
    TileFrame frame{out, from, end, number, tiles, scratch, plan.productsEnd()};
    std::unique_ptr<Destination> destination =
        Destination::create(e, plan.epilogue, plan.whole, frame);
    destination->begin();
    e.loop(firstBlock, endBlock, 1, [&](Value block) {
      TileBlock whole{block, outOf(block)};
      // Behind the panel, a tile for each product whose first row is `from`.
      SmallVector<Value> starts;
      for (auto [i, mm] : llvm::enumerate(plan.products)) {
        Value start =
            e.at(scratch, plan.panelBytes + int64_t(i) * plan.tileBytes);
        starts.push_back(e.at(start, e.mul(from, e.c64(-mm.outBytes))));
        emitProducts(mm, weights[i], starts[i], block);
      }
      destination->take(whole, [&](UseRow use) {
        e.loop(from, end, 1, [&](Value row) {
          SmallVector<Value> values;
          for (auto [mm, start] : llvm::zip(plan.products, starts))
            values.push_back(e.load(
                e.vec(e.f32()), e.at(start, e.mul(row, e.c64(mm.outBytes)))));
          use(row, plan.epilogue.finish(e, values));
        });
      });
    });
    destination->end();
  }

  Emitter &e;
  KernelLibrary &library;
  const Tile &plan;
  Value in, out, weights[2], scratch;
  int64_t tiles;  // of a chunk
  Value number, from, end, firstBlock, endBlock;
};

}  // namespace

bool usesEngine(kernel::MatmulTileOp op, const CpuKernels &cpu) {
  return Matmul(op, op.getWeight()).usesEngine(cpu) ||
         (op.getUp() && Matmul(op, op.getUp()).usesEngine(cpu));
}

void lowerMatmulTile(kernel::MatmulTileOp op, ValueRange operands,
                     OpBuilder &builder, KernelLibrary &library) {
  Tile plan(op, library.cpu);
  library.call(
      builder, op, plan.name, operands,
      [&](Emitter &e, ValueRange arguments) {
        TileEmission(e, library, plan, arguments).emit();
      },
      plan.scratchBytes());
}

}  // namespace gemmac::targets
