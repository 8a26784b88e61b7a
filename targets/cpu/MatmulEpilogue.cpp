// SPDX-License-Identifier: Apache-2.0
// See MatmulEpilogue.h.
#include "targets/cpu/MatmulEpilogue.h"

#include <cassert>
#include <cmath>

#include "targets/cpu/RowEmission.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// f32, row by row.
class StoredRows : public Destination {
 public:
  using Destination::Destination;
  void take(const TileBlock &block, ForEachRow rows) override {
    rows([&](Value row, Value finished) {
      storeBlock(e, mm, finished,
                 e.at(block.out, e.mul(row, e.c64(mm.outBytes))), block.number);
    });
  }
};

// Codes of a group of 32, which is two blocks: the first waits in the scratch
// for the second. A tile has an even number of blocks (matmul_tile, C5).
class CodeRows : public Destination {
 public:
  using Destination::Destination;
  static constexpr int64_t kRowBytes = kLanes * 4;

  void take(const TileBlock &block, ForEachRow rows) override {
    auto keep = [&](Value row, Value finished) {
      e.store(finished, half(row));
    };
    auto quantize = [&](Value row, Value finished) {
      int64_t bytes = quantized::ActivationLayout(mm.n).rowBytes();
      emitQuantizedGroup(e, e.load(e.vec(e.f32()), half(row)), finished, mm.n,
                         e.at(frame.out, e.mul(row, e.c64(bytes))),
                         e.shr(block.number, 1));
    };
    e.when(
        e.less(e.remC(block.number, 2), e.c64(1)), [&] { rows(keep); },
        [&] { rows(quantize); });
  }

 private:
  Value half(Value row) {
    Value inChunk = e.mul(e.sub(row, frame.from), e.c64(kRowBytes));
    return e.at(frame.kept(e), inChunk);
  }
};

// The arg-max of a tile: in the scratch, for each of its rows, the best
// candidate that each of the 16 lanes has seen.
class LargestOfRows : public Destination {
 public:
  static constexpr int64_t kRowBytes = 2 * kLanes * 4;

  LargestOfRows(Emitter &e, const Matmul &mm, const TileFrame &frame)
      : Destination(e, mm, frame),
        start(e.at(frame.kept(e), e.mul(frame.from, e.c64(-kRowBytes)))) {}

  void begin() override {
    e.loop(frame.from, frame.end, 1, [&](Value row) {
      Candidate none = noCandidate(e);
      store(row, {e.splat(none.number), e.splat(none.column)});
    });
  }

  void take(const TileBlock &block, ForEachRow rows) override {
    rows([&](Value row, Value numbers) {
      Value columns =
          e.add(e.splat(e.toF32(e.mul(block.number, e.c64(kLanes)))),
                e.toF32(e.laneNumbers()));
      // What stands behind the last column is no number.
      if (mm.n % kLanes)
        numbers = e.select(e.compare(arith::CmpFPredicate::OLT, columns,
                                     e.splatF(float(mm.n))),
                           numbers, e.splatF(NAN));
      store(row, emitLarger(e, load(row), {numbers, columns}));
    });
  }

  // The best of the lanes, a pair of floats for each row and tile.
  void end() override {
    e.loop(frame.from, frame.end, 1, [&](Value row) {
      Value pair = e.add(e.mul(row, e.c64(frame.tiles)), frame.number);
      write(row, e.at(frame.out, e.shl(pair, 3)));
    });
  }

 private:
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
  Value at(Value row) { return e.at(start, e.mul(row, e.c64(kRowBytes))); }
  Candidate load(Value row) {
    Type type = e.vec(e.f32());
    return {e.load(type, at(row)), e.load(type, at(row), kLanes * 4)};
  }
  void store(Value row, Candidate best) {
    e.store(best.number, at(row));
    e.store(best.column, e.at(at(row), kLanes * 4));
  }
  Value start;  // of row 0, as if the tile began there
};

}  // namespace

Epilogue::Epilogue(kernel::MatmulTileOp op)
    : gated(bool(op.getUp())),
      argMax(op.getArgMax()),
      codes(!cast<MemRefType>(op.getOut().getType()).getElementType().isF32()) {
  if (op.getSoftcap()) softcap = op.getSoftcap()->convertToFloat();
}

std::string Epilogue::name() const {
  std::string name = argMax ? "_arg_max" : codes ? "_codes" : "";
  return softcap == 0 ? name : name + "_cap" + floatBits(softcap);
}

Value Epilogue::finish(Emitter &e, ArrayRef<Value> products) const {
  assert(products.size() == (gated ? 2u : 1u) && "a product, or a gated pair");
  if (gated) return emitGeglu(e, products[0], products[1]);
  if (softcap == 0) return products[0];
  return emitSoftcap(e, products[0], softcap);
}

int64_t Destination::scratchBytes(const Epilogue &epilogue, int64_t chunkRows) {
  if (epilogue.argMax) return chunkRows * LargestOfRows::kRowBytes;
  return epilogue.codes ? chunkRows * CodeRows::kRowBytes : 0;
}

std::unique_ptr<Destination> Destination::create(Emitter &e,
                                                 const Epilogue &epilogue,
                                                 const Matmul &mm,
                                                 const TileFrame &frame) {
  if (epilogue.argMax) return std::make_unique<LargestOfRows>(e, mm, frame);
  if (epilogue.codes) return std::make_unique<CodeRows>(e, mm, frame);
  return std::make_unique<StoredRows>(e, mm, frame);
}

}  // namespace gemmac::targets
