// SPDX-License-Identifier: Apache-2.0
// Matmul tiles: out[rows, N] = in[rows, K] · Wᵀ, a block of 16 weight rows
// after the other (MatmulBlock.h). A gated pair or a softcap is finished block
// by block, from the scratch; so is an arg-max, which writes no block. Codes
// are made of two blocks at a time, a group of 32.
#include <cmath>

#include "targets/cpu/MatmulBlock.h"
#include "targets/cpu/RowEmission.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// What follows the products of a block.
struct Epilogue {
  explicit Epilogue(kernel::MatmulTileOp op)
      : gated(bool(op.getUp())),
        argMax(op.getArgMax()),
        codes(
            !cast<MemRefType>(op.getOut().getType()).getElementType().isF32()) {
    if (op.getSoftcap()) softcap = op.getSoftcap()->convertToFloat();
  }
  bool any() const { return gated || softcap != 0 || argMax; }
  std::string name() const {
    std::string name = argMax ? "_arg_max" : codes ? "_codes" : "";
    if (softcap == 0) return name;
    return name + "_cap" + std::to_string(llvm::bit_cast<uint32_t>(softcap));
  }
  Value apply(Emitter &e, ArrayRef<Value> products) const {
    if (gated) return emitGeglu(e, products[0], products[1]);
    if (softcap == 0) return products[0];
    return emitSoftcap(e, products[0], softcap);
  }
  bool gated, argMax, codes;
  float softcap = 0;
};

// The arg-max of a tile: in the scratch, for each of its rows, the best
// candidate that each of the 16 lanes has seen.
class TileArgMax {
 public:
  static constexpr int64_t kRowBytes = 2 * kLanes * 4;

  TileArgMax(Emitter &e, const Matmul &mm, Value scratch, Value from)
      : e(e), mm(mm), start(e.at(scratch, e.mul(from, e.c64(-kRowBytes)))) {}

  void clear(Value row) {
    Candidate none = noCandidate(e);
    store(row, {e.splat(none.number), e.splat(none.column)});
  }
  // Numbers 16·block … of a row.
  void take(Value row, Value block, Value numbers) {
    Value columns = e.add(e.splat(e.toF32(e.mul(block, e.c64(kLanes)))),
                          e.toF32(e.laneNumbers()));
    // What stands behind the last column is no number.
    if (mm.n % kLanes)
      numbers = e.select(
          e.compare(arith::CmpFPredicate::OLT, columns, e.splatF(float(mm.n))),
          numbers, e.splatF(NAN));
    store(row, emitLarger(e, load(row), {numbers, columns}));
  }
  // The best of the lanes, as a pair of floats.
  void write(Value row, Value out) {
    Candidate lanes = load(row);
    Value largest =
        e.tree(lanes.number, [&](Value x, Value y) { return e.max(x, y); });
    Value is =
        e.compare(arith::CmpFPredicate::OEQ, lanes.number, e.splat(largest));
    Value columns = e.select(is, lanes.column, e.splat(noCandidate(e).column));
    e.store(largest, out);
    e.store(e.tree(columns, [&](Value x, Value y) { return e.min(x, y); }),
            e.at(out, 4));
  }

 private:
  Value at(Value row) { return e.at(start, e.mul(row, e.c64(kRowBytes))); }
  Candidate load(Value row) {
    Type type = e.vec(e.f32());
    return {e.load(type, at(row)), e.load(type, at(row), kLanes * 4)};
  }
  void store(Value row, Candidate best) {
    e.store(best.number, at(row));
    e.store(best.column, e.at(at(row), kLanes * 4));
  }
  Emitter &e;
  const Matmul &mm;
  Value start;  // of row 0, as if the tile began there
};

// A tile operation: its products, what follows them, and the scratch that they
// need: a panel with an engine's products, a tile for each product, and the
// arg-max's candidates or the first half of each row's group of codes.
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
    return productsEnd() +
           (epilogue.argMax ? whole.chunkRows * TileArgMax::kRowBytes : 0) +
           (epilogue.codes ? tileBytes : 0);
  }
  Epilogue epilogue;
  Matmul whole;                  // where its results go in the end
  SmallVector<Matmul> products;  // where they go at first
  std::string name = "matmul";
  int64_t panelBytes = 0, tileBytes = 0;
};

}  // namespace

bool usesEngine(kernel::MatmulTileOp op, const CpuKernels &cpu) {
  return Matmul(op, op.getWeight()).usesEngine(cpu) ||
         (op.getUp() && Matmul(op, op.getUp()).usesEngine(cpu));
}

// Operands: context, weight, in, out, tile, rows, [up].
void lowerMatmulTile(kernel::MatmulTileOp op, ValueRange operands,
                     OpBuilder &builder, KernelLibrary &library) {
  Tile plan(op, library.cpu);
  const Epilogue &epilogue = plan.epilogue;
  const Matmul &whole = plan.whole;
  auto body = [&](Emitter &e, ValueRange arguments) {
    Value in = arguments[2], out = arguments[3], tile = arguments[4],
          rows = arguments[5];
    Value weights[] = {arguments[1], arguments.back()};
    Value scratch = scratchPointer(e, arguments[0]);
    int64_t blockTiles = kernel::matmulTiles(whole.n, whole.rowBlocks);
    Value chunk = e.divC(tile, blockTiles), number = e.remC(tile, blockTiles);
    Value from = e.mul(chunk, e.c64(whole.chunkRows));
    Value end = e.minI(rows, e.add(from, e.c64(whole.chunkRows)));
    Value first = e.mul(number, e.c64(whole.rowBlocks));
    Value last =
        e.minI(e.c64(whole.blocks), e.add(first, e.c64(whole.rowBlocks)));
    TileArgMax best(e, whole, e.at(scratch, plan.productsEnd()), from);
    if (epilogue.argMax)
      e.loop(from, end, 1, [&](Value row) { best.clear(row); });
    e.loop(first, last, 1, [&](Value block) {
      Value outBlock = e.at(out, e.mul(block, e.c64(kLanes * 4)));
      auto products = [&](const Matmul &mm, Value weight, Value to) {
        Value rowBlock = e.at(weight, e.mul(block, e.c64(mm.blockBytes)));
        emitBlock(e, library, mm, {rowBlock, in, to, from, end, block},
                  scratch);
      };
      if (!epilogue.any()) return products(whole, weights[0], outBlock);
      // Behind the panel, a tile for each product whose first row is `from`.
      SmallVector<Value> tiles;
      for (auto [i, mm] : llvm::enumerate(plan.products)) {
        Value start =
            e.at(scratch, plan.panelBytes + int64_t(i) * plan.tileBytes);
        tiles.push_back(e.at(start, e.mul(from, e.c64(-mm.outBytes))));
        products(mm, weights[i], tiles[i]);
      }
      using Use = function_ref<void(Value row, Value finished)>;
      auto finish = [&](Use use) {
        e.loop(from, end, 1, [&](Value row) {
          SmallVector<Value> values;
          for (auto [mm, start] : llvm::zip(plan.products, tiles))
            values.push_back(e.load(
                e.vec(e.f32()), e.at(start, e.mul(row, e.c64(mm.outBytes)))));
          use(row, epilogue.apply(e, values));
        });
      };
      if (epilogue.argMax)
        return finish([&](Value row, Value finished) {
          best.take(row, block, finished);
        });
      if (!epilogue.codes)
        return finish([&](Value row, Value finished) {
          storeBlock(e, whole, finished,
                     e.at(outBlock, e.mul(row, e.c64(whole.outBytes))), block);
        });
      auto half = [&](Value row) {
        Value inChunk = e.mul(e.sub(row, from), e.c64(kLanes * 4));
        return e.at(e.at(scratch, plan.productsEnd()), inChunk);
      };
      e.when(
          e.less(e.remC(block, 2), e.c64(1)),
          [&] {
            finish([&](Value row, Value finished) {
              e.store(finished, half(row));
            });
          },
          [&] {
            finish([&](Value row, Value finished) {
              int64_t bytes = kernel::activationRowBytes(whole.n);
              emitQuantizedGroup(e, e.load(e.vec(e.f32()), half(row)), finished,
                                 whole.n, e.at(out, e.mul(row, e.c64(bytes))),
                                 e.shr(block, 1));
            });
          });
    });
    if (epilogue.argMax)
      e.loop(from, end, 1, [&](Value row) {
        Value pair = e.add(e.mul(row, e.c64(blockTiles)), number);
        best.write(row, e.at(out, e.shl(pair, 3)));
      });
  };
  library.call(builder, op.getLoc(), plan.name, operands, body,
               plan.scratchBytes());
}

}  // namespace gemmac::targets
