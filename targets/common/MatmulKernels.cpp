// Matmul tiles: out[rows, N] = in[rows, K] · Wᵀ, 16 weight rows in lanes.
//   one row       the packed stream is decoded into registers and used once
//   more rows     a row block is unpacked once into a panel in the thread's
//                 scratch, then M rows at a time use it from the cache
//   a matrix engine, where there is one, takes its M rows at a time from a
//                 panel of signed codes
//   float weights fma an element, k increasing, M rows at a time
// A gated pair or a softcap is finished block by block, from the scratch; so is
// an arg-max, which writes no block.
// All share docs/numerics.md's order, so that a row's bits do not depend on
// which of them computed it.
#include <cmath>

#include "targets/common/KernelLibrary.h"
#include "targets/common/PackedEmission.h"
#include "targets/common/RowEmission.h"

using namespace mlir;
using gemmac::quantized::CodeDescriptor;
using gemmac::quantized::WeightFormat;

namespace gemmac::targets {
namespace {

// A panel's group of 32 columns: 512 B of codes, then f32 scales (one or two
// times 16) and minimums.
struct PanelLayout {
  explicit PanelLayout(const CodeDescriptor &d)
      : scales(d.group == 16 ? 2 : 1), minimums(d.hasMinimum ? 1 : 0) {}
  int64_t groupBytes() const { return 512 + 64 * (scales + minimums); }
  int64_t scales, minimums;
};

// One weight's share of a tile operation.
struct Matmul {
  Matmul(kernel::MatmulTileOp op, Value weight)
      : Matmul(op, cast<quantized::TensorType>(weight.getType())) {}
  Matmul(kernel::MatmulTileOp op, quantized::TensorType type)
      : format(*quantized::lookupFormat(type.getFormat())),
        n(type.rows()),
        k(type.columns()),
        chunkRows(op.getChunkRows()),
        rowBlocks(op.getRowBlocks()),
        outBytes(n * 4) {
    inBytes = format.isFloat() ? k * 4 : kernel::activationRowBytes(k);
    blocks = (n + kLanes - 1) / kLanes;
    blockBytes = quantized::packedRowBlockBytes(format, k);
  }
  // From now on a block's 16 columns go to the scratch, all of them.
  void goToScratch() {
    toScratch = true;
    outBytes = kLanes * 4;
  }
  std::string shape() const {
    return format.name().str() + "_" + std::to_string(n) + "x" +
           std::to_string(k) + (toScratch ? "_scratch" : "");
  }
  // Whether chunks with enough rows go to the matrix engine.
  bool usesEngine(const CpuKernels &cpu) const {
    int64_t tokens = cpu.tokensPerEngine();
    return tokens && chunkRows >= tokens && !format.isFloat();
  }
  int64_t panelBytes() const {
    if (format.isFloat() || chunkRows == 1) return 0;
    return k / 32 * PanelLayout(*format.codes()).groupBytes();
  }
  // Of an engine, for one group; those of two stand behind the panel.
  int64_t productBytes(const CpuKernels &cpu) const {
    if (!usesEngine(cpu)) return 0;
    int64_t parts = PanelLayout(*format.codes()).scales;
    return parts * cpu.tokensPerEngine() * kLanes * 4;
  }
  const WeightFormat &format;
  int64_t n, k, chunkRows, rowBlocks, outBytes, inBytes, blocks, blockBytes;
  bool toScratch = false;
};

PackedGroup panelGroup(Emitter &e, const CodeDescriptor &d, Value from) {
  PackedGroup group;
  group.codes = [=, &e](int64_t j) {
    return e.load(e.vec(e.i8(), 64), from, 64 * j);
  };
  group.scale = [=, &e](int64_t part) {
    return e.load(e.vec(e.f32()), from, 512 + 64 * part);
  };
  if (d.hasMinimum)
    group.minimum = [=, &e, scales = PanelLayout(d).scales] {
      return e.load(e.vec(e.f32()), from, 512 + 64 * scales);
    };
  return group;
}

// The scales and sums of one activation row's group, and how a group's
// products enter the accumulator: fma(float(Σ (q − z)·x), d·a, acc), then the
// minimum's part.
class GroupSum {
 public:
  GroupSum(Emitter &e, const CpuKernels &cpu, const CodeDescriptor &descriptor,
           int64_t columns)
      : parts(PanelLayout(descriptor).scales),
        e(e),
        cpu(cpu),
        d(descriptor),
        columns(columns) {}

  const int64_t parts;  // of a group of 32, each with its scale

  SmallVector<Value> accumulate(ValueRange accumulators, ArrayRef<Value> rows,
                                Value column, const PackedGroup &group) {
    SmallVector<Value> result(accumulators), scales, sums32;
    Value index = e.shr(column, 5);
    if (d.zeroPoint || d.hasMinimum)
      for (Value row : rows) sums32.push_back(sum32(row, index));
    for (int64_t part = 0; part < parts; ++part) {
      SmallVector<Value> sums = sums32;
      if (parts == 2) sums = sums16(rows, index, part);
      if (sums.empty()) sums.assign(rows.size(), e.c32(0));
      SmallVector<Value> tokens;
      for (Value row : rows)
        tokens.push_back(e.at(e.at(row, column), 16 * part));
      auto codes = [&](int64_t j) { return group.codes(4 * part + j); };
      GroupDot dot{codes, parts == 2 ? 4 : 8, tokens,
                   sums,  d.codeBits,         d.zeroPoint};
      SmallVector<Value> products = cpu.groupDot(e, dot);
      Value weightScale = group.scale(part);
      for (auto [m, product] : llvm::enumerate(products)) {
        if (part == 0) scales.push_back(scale(rows[m], index));
        result[m] = withProduct(result[m], product, weightScale, scales[m]);
      }
    }
    if (d.hasMinimum) {
      Value minimum = group.minimum();
      for (size_t m = 0; m < rows.size(); ++m)
        result[m] = withMinimum(result[m], sums32[m], minimum, scales[m]);
    }
    return result;
  }

  // The same with products that an engine has stored: [parts][M][16]. Row by
  // row, because M accumulators leave room for few scales.
  SmallVector<Value> accumulateStored(ValueRange accumulators,
                                      ArrayRef<Value> rows, Value column,
                                      const PackedGroup &group,
                                      Value products) {
    SmallVector<Value> result(accumulators), weightScales;
    Value index = e.shr(column, 5);
    for (int64_t part = 0; part < parts; ++part)
      weightScales.push_back(group.scale(part));
    Value minimum = d.hasMinimum ? group.minimum() : Value();
    for (auto [m, row] : llvm::enumerate(rows)) {
      Value rowScale = scale(row, index);
      for (int64_t part = 0; part < parts; ++part) {
        int64_t at = (part * rows.size() + m) * 64;
        Value product = e.load(e.vec(e.i32()), products, at);
        result[m] =
            withProduct(result[m], product, weightScales[part], rowScale);
      }
      if (minimum)
        result[m] =
            withMinimum(result[m], sum32(row, index), minimum, rowScale);
    }
    return result;
  }

 private:
  Value withProduct(Value acc, Value product, Value weightScale, Value scale) {
    return e.fma(e.toF32(product), e.mul(weightScale, scale), acc);
  }
  Value withMinimum(Value acc, Value sum32, Value minimum, Value scale) {
    Value sum = e.splat(e.negate(e.toF32(sum32)));
    return e.fma(sum, e.mul(minimum, scale), acc);
  }
  Value field(Value row, int64_t offset, Value index) {
    return e.at(e.at(row, offset), e.shl(index, 2));
  }
  Value scale(Value row, Value index) {
    return e.splat(
        e.load(e.f32(), field(row, kernel::activationScales(columns), index)));
  }
  Value sum32(Value row, Value index) {
    return e.load(e.i32(),
                  field(row, kernel::activationSums32(columns), index));
  }
  SmallVector<Value> sums16(ArrayRef<Value> rows, Value index, int64_t part) {
    SmallVector<Value> sums;
    for (Value row : rows)
      sums.push_back(e.load(
          e.i32(),
          e.at(field(row, kernel::activationSums16(columns), e.shl(index, 1)),
               4 * part)));
    return sums;
  }
  Emitter &e;
  const CpuKernels &cpu;
  const CodeDescriptor &d;
  int64_t columns;
};

SmallVector<Value> zeros(Emitter &e, int64_t count) {
  return SmallVector<Value>(count, e.splatF(0));
}

// Stores 16 results of weight rows 16·block …; the last block of an N that is
// no multiple of 16 stores what exists.
void storeBlock(Emitter &e, const Matmul &mm, Value vector, Value pointer,
                Value block) {
  int64_t tail = mm.n % kLanes;
  if (tail == 0 || mm.toScratch) return e.store(vector, pointer);
  e.when(
      e.less(block, e.c64(mm.blocks - 1)), [&] { e.store(vector, pointer); },
      [&] { e.storeLanes(vector, pointer, tail); });
}

// One row, one row block, straight from the stream.
void dotOne(Emitter &e, KernelLibrary &library, const Matmul &mm,
            Value rowBlock, Value in, Value out, Value block) {
  const CodeDescriptor &d = *mm.format.codes();
  GroupSum sum(e, library.cpu, d, mm.k);
  SmallVector<Value> acc = emitGroupLoop(
      e, d, rowBlock, mm.k, zeros(e, 1),
      [&](Value superBlock, Value group, int parity, Value column,
          ValueRange carried) {
        PackedGroup packed = emitPackedGroup(e, d, superBlock, group, parity);
        return sum.accumulate(carried, {in}, column, packed);
      });
  storeBlock(e, mm, acc[0], out, block);
}

// With `isSigned` the codes lose their zero point: then every format's are s8.
void unpackPanel(Emitter &e, const Matmul &mm, Value rowBlock, Value panel,
                 bool isSigned = false) {
  const CodeDescriptor &d = *mm.format.codes();
  auto stored = [&](Value codes) {
    if (!isSigned || d.zeroPoint == 0) return codes;
    return e.sub(codes, e.splatI(e.i8(), int8_t(d.zeroPoint), 64));
  };
  PanelLayout layout(d);
  emitGroupLoop(
      e, d, rowBlock, mm.k, {},
      [&](Value superBlock, Value group, int parity, Value column,
          ValueRange) -> SmallVector<Value> {
        PackedGroup packed = emitPackedGroup(e, d, superBlock, group, parity);
        Value to =
            e.at(panel, e.mul(e.shr(column, 5), e.c64(layout.groupBytes())));
        for (int64_t j = 0; j < 8; ++j)
          e.store(stored(packed.codes(j)), e.at(to, 64 * j));
        for (int64_t i = 0; i < layout.scales; ++i)
          e.store(packed.scale(i), e.at(to, 512 + 64 * i));
        if (packed.minimum)
          e.store(packed.minimum(), e.at(to, 512 + 64 * layout.scales));
        return {};
      });
}

// M rows against a weight block; `weights` is a panel or a float row block.
// A function of its own: (weights, in, out, block).
std::string rowsKernel(KernelLibrary &library, const Matmul &mm, int64_t m,
                       Location loc) {
  std::string name = "matmul_rows_" + mm.shape() + "_m" + std::to_string(m);
  Type pointer = LLVM::LLVMPointerType::get(loc.getContext());
  Type i64 = IntegerType::get(loc.getContext(), 64);
  library.get(
      name, {pointer, pointer, pointer, i64}, loc,
      [&](Emitter &e, ValueRange arguments) {
        Value weights = arguments[0], in = arguments[1], out = arguments[2];
        SmallVector<Value> rows;
        for (int64_t i = 0; i < m; ++i)
          rows.push_back(e.at(in, i * mm.inBytes));
        SmallVector<Value> acc;
        if (const CodeDescriptor *d = mm.format.codes()) {
          GroupSum sum(e, library.cpu, *d, mm.k);
          int64_t bytes = PanelLayout(*d).groupBytes();
          acc = e.loop(e.c64(0), e.c64(mm.k / 32), 1, zeros(e, m),
                       [&](Value g, ValueRange carried) {
                         Value from = e.at(weights, e.mul(g, e.c64(bytes)));
                         return sum.accumulate(carried, rows, e.shl(g, 5),
                                               panelGroup(e, *d, from));
                       });
        } else {
          int64_t bytes = kLanes * mm.format.blockBytes();
          acc = e.loop(e.c64(0), e.c64(mm.k), 1, zeros(e, m),
                       [&](Value k, ValueRange carried) {
                         Value from = e.at(weights, e.mul(k, e.c64(bytes)));
                         Value w = e.loadWide(mm.format.name(), from);
                         SmallVector<Value> result;
                         for (int64_t i = 0; i < m; ++i) {
                           Value x =
                               e.load(e.f32(), e.at(rows[i], e.shl(k, 2)));
                           result.push_back(e.fma(w, e.splat(x), carried[i]));
                         }
                         return result;
                       });
        }
        for (int64_t i = 0; i < m; ++i)
          storeBlock(e, mm, acc[i], e.at(out, i * mm.outBytes), arguments[3]);
      });
  return name;
}

// Rows [from, to) of one row block: the widest tile, then its halves.
void emitRows(Emitter &e, KernelLibrary &library, const Matmul &mm,
              Value weights, Value in, Value out, Value from, Value to,
              Value block) {
  int64_t widest = library.cpu.tokensPerTile();
  while (widest > mm.chunkRows) widest /= 2;
  Value next = from;
  for (int64_t m = widest; m >= 1; m /= 2) {
    std::string name = rowsKernel(library, mm, m, e.loc);
    Value left = e.sub(to, next);
    Value stop = e.add(next, e.mul(e.divC(left, m), e.c64(m)));
    e.loop(next, stop, m, [&](Value row) {
      func::CallOp::create(
          e.b, e.loc, name, TypeRange(),
          ValueRange{weights, e.at(in, e.mul(row, e.c64(mm.inBytes))),
                     e.at(out, e.mul(row, e.c64(mm.outBytes))), block});
    });
    next = stop;
  }
}

// An engine's M rows against a signed panel, arguments as rowsKernel's. The
// engine works one group ahead, so that its stores are done when they are read;
// behind the last group it repeats that one.
std::string engineKernel(KernelLibrary &library, const Matmul &mm,
                         Location loc) {
  std::string name = "matmul_engine_" + mm.shape();
  Type pointer = LLVM::LLVMPointerType::get(loc.getContext());
  Type i64 = IntegerType::get(loc.getContext(), 64);
  library.get(
      name, {pointer, pointer, pointer, i64}, loc,
      [&](Emitter &e, ValueRange arguments) {
        Value panel = arguments[0], in = arguments[1], out = arguments[2];
        const CodeDescriptor &d = *mm.format.codes();
        GroupSum sum(e, library.cpu, d, mm.k);
        int64_t m = library.cpu.tokensPerEngine(), groups = mm.k / 32;
        int64_t bytes = mm.productBytes(library.cpu);
        Value buffers = e.at(panel, mm.panelBytes());
        SmallVector<Value> rows;
        for (int64_t i = 0; i < m; ++i)
          rows.push_back(e.at(in, i * mm.inBytes));
        auto products = [&](Value g) {
          return e.at(buffers, e.mul(e.remC(g, 2), e.c64(bytes)));
        };
        auto codes = [&](Value g) {
          return e.at(panel, e.mul(g, e.c64(PanelLayout(d).groupBytes())));
        };
        auto multiply = [&](Value g) {
          int64_t columns = 32 / sum.parts;
          for (int64_t part = 0; part < sum.parts; ++part)
            library.cpu.engineDot(
                e, {e.at(codes(g), part * columns * kLanes),
                    e.at(e.at(in, e.shl(g, 5)), part * columns), mm.inBytes,
                    e.at(products(g), part * (bytes / sum.parts)), columns});
        };
        multiply(e.c64(0));
        SmallVector<Value> acc =
            e.loop(e.c64(0), e.c64(groups), 1, zeros(e, m),
                   [&](Value g, ValueRange carried) {
                     multiply(e.minI(e.add(g, e.c64(1)), e.c64(groups - 1)));
                     return sum.accumulateStored(carried, rows, e.shl(g, 5),
                                                 panelGroup(e, d, codes(g)),
                                                 products(g));
                   });
        for (int64_t i = 0; i < m; ++i)
          storeBlock(e, mm, acc[i], e.at(out, i * mm.outBytes), arguments[3]);
      });
  return name;
}

// Rows [from, to), at least M. The last tile starts where it ends with them,
// and makes the rows that it shares with the one before again, to the same
// bits.
void emitEngineRows(Emitter &e, KernelLibrary &library, const Matmul &mm,
                    Value panel, Value in, Value out, Value from, Value to,
                    Value block) {
  int64_t m = library.cpu.tokensPerEngine();
  std::string name = engineKernel(library, mm, e.loc);
  Value last = e.sub(to, e.c64(m));
  e.loop(from, to, m, [&](Value next) {
    Value row = e.minI(next, last);
    func::CallOp::create(
        e.b, e.loc, name, TypeRange(),
        ValueRange{panel, e.at(in, e.mul(row, e.c64(mm.inBytes))),
                   e.at(out, e.mul(row, e.c64(mm.outBytes))), block});
  });
}

// Rows [from, to) of block `block` of one weight. `out` is where row 0 of the
// block would go.
void emitBlock(Emitter &e, KernelLibrary &library, const Matmul &mm,
               Value weight, Value in, Value out, Value from, Value to,
               Value block, Value scratch) {
  Value rowBlock = e.at(weight, e.mul(block, e.c64(mm.blockBytes)));
  if (mm.format.isFloat())
    return emitRows(e, library, mm, rowBlock, in, out, from, to, block);
  auto one = [&] {
    Value row = e.at(in, e.mul(from, e.c64(mm.inBytes)));
    dotOne(e, library, mm, rowBlock, row,
           e.at(out, e.mul(from, e.c64(mm.outBytes))), block);
  };
  if (mm.chunkRows == 1) return one();
  // A lone row (decoding's head, a last chunk) skips the panel.
  auto few = [&] {
    e.when(
        e.less(from, e.sub(to, e.c64(1))),
        [&] {
          unpackPanel(e, mm, rowBlock, scratch);
          emitRows(e, library, mm, scratch, in, out, from, to, block);
        },
        one);
  };
  if (!mm.usesEngine(library.cpu)) return few();
  Value engineRows = e.c64(library.cpu.tokensPerEngine());
  e.when(e.less(e.sub(to, from), engineRows), few, [&] {
    unpackPanel(e, mm, rowBlock, scratch, /*isSigned=*/true);
    emitEngineRows(e, library, mm, scratch, in, out, from, to, block);
  });
}

// What follows the products of a block.
struct Epilogue {
  explicit Epilogue(kernel::MatmulTileOp op)
      : gated(bool(op.getUp())), argMax(op.getArgMax()) {
    if (op.getSoftcap()) softcap = op.getSoftcap()->convertToFloat();
  }
  bool any() const { return gated || softcap != 0 || argMax; }
  std::string name() const {
    std::string name = argMax ? "_arg_max" : "";
    if (softcap == 0) return name;
    return name + "_cap" + std::to_string(llvm::bit_cast<uint32_t>(softcap));
  }
  Value apply(Emitter &e, ArrayRef<Value> products) const {
    if (gated) return emitGeglu(e, products[0], products[1]);
    if (softcap == 0) return products[0];
    return emitSoftcap(e, products[0], softcap);
  }
  bool gated, argMax;
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
// need: a panel with an engine's products, a tile for each product, the
// arg-max's candidates.
struct Tile {
  Tile(kernel::MatmulTileOp op, const CpuKernels &cpu)
      : epilogue(op), whole(op, op.getWeight()), products{whole} {
    if (op.getUp()) products.push_back(Matmul(op, op.getUp()));
    for (Matmul &mm : products) {
      name += "_" + mm.shape();
      panelBytes =
          std::max(panelBytes, mm.panelBytes() + 2 * mm.productBytes(cpu));
      if (epilogue.any()) mm.goToScratch();
    }
    name += "_c" + std::to_string(whole.chunkRows) + "_b" +
            std::to_string(whole.rowBlocks) + epilogue.name();
    if (epilogue.any()) tileBytes = whole.chunkRows * kLanes * 4;
  }
  int64_t candidates() const {
    return panelBytes + int64_t(products.size()) * tileBytes;
  }
  int64_t scratchBytes() const {
    return candidates() +
           (epilogue.argMax ? whole.chunkRows * TileArgMax::kRowBytes : 0);
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
    Value to = e.minI(rows, e.add(from, e.c64(whole.chunkRows)));
    Value first = e.mul(number, e.c64(whole.rowBlocks));
    Value last =
        e.minI(e.c64(whole.blocks), e.add(first, e.c64(whole.rowBlocks)));
    TileArgMax best(e, whole, e.at(scratch, plan.candidates()), from);
    if (epilogue.argMax)
      e.loop(from, to, 1, [&](Value row) { best.clear(row); });
    e.loop(first, last, 1, [&](Value block) {
      Value outBlock = e.at(out, e.mul(block, e.c64(kLanes * 4)));
      if (!epilogue.any())
        return emitBlock(e, library, whole, weights[0], in, outBlock, from, to,
                         block, scratch);
      // Behind the panel, a tile for each product whose first row is `from`.
      SmallVector<Value> tiles;
      for (auto [i, mm] : llvm::enumerate(plan.products)) {
        Value start =
            e.at(scratch, plan.panelBytes + int64_t(i) * plan.tileBytes);
        tiles.push_back(e.at(start, e.mul(from, e.c64(-mm.outBytes))));
        emitBlock(e, library, mm, weights[i], in, tiles[i], from, to, block,
                  scratch);
      }
      e.loop(from, to, 1, [&](Value row) {
        SmallVector<Value> values;
        for (auto [mm, start] : llvm::zip(plan.products, tiles))
          values.push_back(e.load(e.vec(e.f32()),
                                  e.at(start, e.mul(row, e.c64(mm.outBytes)))));
        Value finished = epilogue.apply(e, values);
        if (epilogue.argMax) return best.take(row, block, finished);
        storeBlock(e, whole, finished,
                   e.at(outBlock, e.mul(row, e.c64(whole.outBytes))), block);
      });
    });
    if (epilogue.argMax)
      e.loop(from, to, 1, [&](Value row) {
        Value pair = e.add(e.mul(row, e.c64(blockTiles)), number);
        best.write(row, e.at(out, e.shl(pair, 3)));
      });
  };
  library.call(builder, op.getLoc(), plan.name, operands, body,
               plan.scratchBytes());
}

}  // namespace gemmac::targets
