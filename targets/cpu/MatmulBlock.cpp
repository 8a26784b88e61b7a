// SPDX-License-Identifier: Apache-2.0
// See MatmulBlock.h.
#include "targets/cpu/MatmulBlock.h"

#include <cassert>

#include "targets/cpu/GroupSum.h"
#include "targets/cpu/MatmulPanel.h"

using namespace mlir;
using gemmac::quantized::CodeDescriptor;

namespace gemmac::targets {
namespace {

SmallVector<Value> zeros(Emitter &e, int64_t count) {
  return SmallVector<Value>(count, e.splatF(0));
}

// Where M rows find a weight block: in the packed stream (float weights always
// do), or in a panel.
enum class Source { Stream, Panel };

// Their sums over all columns, 16 lanes a row of activations.
SmallVector<Value> emitDots(Emitter &e, const CpuKernels &cpu, const Matmul &mm,
                            Source source, Value weights,
                            ArrayRef<Value> rows) {
  const CodeDescriptor *d = mm.format.codes();
  SmallVector<Value> start = zeros(e, rows.size());
  if (!d) {
    int64_t bytes = kLanes * mm.format.blockBytes();
    return e.loop(e.c64(0), e.c64(mm.k), 1, start,
                  [&](Value k, ValueRange carried) {
                    Value w = e.loadWide(mm.format.name(),
                                         e.at(weights, e.mul(k, e.c64(bytes))));
                    SmallVector<Value> sums;
                    for (auto [row, sum] : llvm::zip(rows, carried)) {
                      Value x = e.load(e.f32(), e.at(row, e.shl(k, 2)));
                      sums.push_back(e.fma(w, e.splat(x), sum));
                    }
                    return sums;
                  });
  }
  GroupSum sum(e, cpu, *d, mm.k);
  if (source == Source::Stream)
    return emitGroupLoop(e, *d, weights, mm.k, cpu.prefetchDistance(), start,
                         [&](Value superBlock, Value group, int parity,
                             Value column, ValueRange carried) {
                           PackedGroup packed = emitPackedGroup(
                               e, *d, superBlock, group, parity);
                           return sum.accumulate(carried, rows, column, packed);
                         });
  int64_t bytes = PanelLayout(*d).groupBytes();
  return e.loop(e.c64(0), e.c64(mm.k / 32), 1, start,
                [&](Value g, ValueRange carried) {
                  Value from = e.at(weights, e.mul(g, e.c64(bytes)));
                  return sum.accumulate(carried, rows, e.shl(g, 5),
                                        panelGroup(e, *d, from));
                });
}

// A function of its own for M rows: (weights, in, out, block). With `few` it
// has `last` too: rows behind that number are that row once more, and give its
// bits once more.
struct RowsTile {
  Source source;
  int64_t m;
  bool few;
};

func::FuncOp rowsKernel(KernelLibrary &library, const Matmul &mm,
                        const RowsTile &tile, Location loc) {
  assert((tile.source == Source::Stream || mm.panelBytes(library.cpu) > 0) &&
         "a panel has room in the scratch");
  std::string name = "matmul_" + std::string(tile.few ? "few" : "rows") +
                     (tile.source == Source::Panel ? "_panel_" : "_") +
                     mm.shape() + "_m" + std::to_string(tile.m);
  Type pointer = LLVM::LLVMPointerType::get(loc.getContext());
  Type i64 = IntegerType::get(loc.getContext(), 64);
  SmallVector<Type> types{pointer, pointer, pointer, i64};
  if (tile.few) types.push_back(i64);
  KernelKey key = mm.key("matmul_rows", int(tile.source), tile.m, tile.few);
  return library.get(
      key, name, types, loc, [&](Emitter &e, ValueRange arguments) {
        auto row = [&](Value start, int64_t i, int64_t bytes) {
          if (!tile.few || i == 0) return e.at(start, i * bytes);
          return e.at(start,
                      e.mul(e.minI(e.c64(i), arguments[4]), e.c64(bytes)));
        };
        SmallVector<Value> rows;
        for (int64_t i = 0; i < tile.m; ++i)
          rows.push_back(row(arguments[1], i, mm.inBytes));
        SmallVector<Value> sums =
            emitDots(e, library.cpu, mm, tile.source, arguments[0], rows);
        for (int64_t i = 0; i < tile.m; ++i)
          storeBlock(e, mm, sums[i], row(arguments[2], i, mm.outBytes),
                     arguments[3]);
      });
}

// An engine's M rows against a signed panel, arguments as rowsKernel's. The
// engine works one group ahead, so that its stores are done when they are read;
// behind the last group it repeats that one.
func::FuncOp engineKernel(KernelLibrary &library, const Matmul &mm,
                          Location loc) {
  assert(mm.usesEngine(library.cpu) && mm.k % 32 == 0 &&
         "an engine takes whole groups of codes");
  std::string name = "matmul_engine_" + mm.shape();
  Type pointer = LLVM::LLVMPointerType::get(loc.getContext());
  Type i64 = IntegerType::get(loc.getContext(), 64);
  return library.get(
      mm.key("matmul_engine"), name, {pointer, pointer, pointer, i64}, loc,
      [&](Emitter &e, ValueRange arguments) {
        Value panel = arguments[0], in = arguments[1], out = arguments[2];
        const CodeDescriptor &d = *mm.format.codes();
        GroupSum sum(e, library.cpu, d, mm.k);
        int64_t m = library.cpu.tokensPerEngine(), groups = mm.k / 32;
        int64_t bytes = mm.productBytes(library.cpu);
        Value buffers = e.at(panel, PanelLayout(d).bytes(mm.k));
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
}

void callRows(Emitter &e, const Matmul &mm, func::FuncOp kernel,
              const BlockCall &call, Value row, Value last = {}) {
  SmallVector<Value> operands{
      call.weights, e.at(call.in, e.mul(row, e.c64(mm.inBytes))),
      e.at(call.out, e.mul(row, e.c64(mm.outBytes))), call.block};
  if (last) operands.push_back(last);
  func::CallOp::create(e.b, e.loc, kernel, operands);
}

// At least M rows, M at a time. The last tile starts where it ends with them,
// and makes the rows that it shares with the one before again, to the same
// bits.
void emitManyRows(Emitter &e, const Matmul &mm, func::FuncOp kernel, int64_t m,
                  const BlockCall &call) {
  Value last = e.sub(call.to, e.c64(m));
  e.loop(call.from, call.to, m, [&](Value next) {
    callRows(e, mm, kernel, call, e.minI(next, last));
  });
}

// At most M rows: the narrowest power of two that holds them. Groups of 16 need
// twice the scales, for which the registers of half the rows make room: their
// widest tile is two, the second of them from the cache.
void emitFewRows(Emitter &e, KernelLibrary &library, const Matmul &mm,
                 int64_t m, const BlockCall &call) {
  assert(llvm::isPowerOf2_64(m) && "tiles are halved");
  const CodeDescriptor *d = mm.format.codes();
  int64_t widest = library.cpu.tokensPerTile();
  if (d && PanelLayout(*d).scales == 2) widest /= 2;
  Value last = e.sub(call.count(e), e.c64(1));
  auto tile = [&](int64_t width) {
    int64_t step = std::min(width, widest);
    func::FuncOp kernel =
        rowsKernel(library, mm, {Source::Stream, step, true}, e.loc);
    for (int64_t row = 0; row < width; row += step)
      callRows(e, mm, kernel, call, e.add(call.from, e.c64(row)),
               e.sub(last, e.c64(row)));
  };
  std::function<void(int64_t)> upTo = [&](int64_t width) {
    if (width == 1) return tile(1);
    e.when(
        e.less(last, e.c64(width / 2)), [&] { upTo(width / 2); },
        [&] { tile(width); });
  };
  upTo(m);
}

}  // namespace

int64_t Matmul::panelBytes(const CpuKernels &cpu) const {
  if (format.isFloat() || chunkRows <= tileRows(cpu)) return 0;
  return PanelLayout(*format.codes()).bytes(k);
}

int64_t Matmul::productBytes(const CpuKernels &cpu) const {
  if (!usesEngine(cpu)) return 0;
  int64_t parts = PanelLayout(*format.codes()).scales;
  return parts * cpu.tokensPerEngine() * kLanes * 4;
}

void storeBlock(Emitter &e, const Matmul &mm, Value vector, Value pointer,
                Value block) {
  int64_t tail = mm.n % kLanes;
  if (tail == 0 || mm.toScratch) return e.store(vector, pointer);
  e.when(
      e.less(block, e.c64(mm.blocks - 1)), [&] { e.store(vector, pointer); },
      [&] { e.storeLanes(vector, pointer, tail); });
}

// Rows [from, to) of one row block: few straight from the stream, which then
// flows while they are multiplied; more from a panel in the scratch; float
// weights need none.
void emitBlock(Emitter &e, KernelLibrary &library, const Matmul &mm,
               const BlockCall &call, Value scratch) {
  int64_t widest = mm.tileRows(library.cpu);
  auto inPanel = [&](bool isSigned) {
    unpackPanel(e,
                {*mm.format.codes(), call.weights, mm.k,
                 library.cpu.prefetchDistance()},
                scratch, isSigned);
    BlockCall panel = call;
    panel.weights = scratch;
    return panel;
  };
  auto few = [&] { emitFewRows(e, library, mm, widest, call); };
  auto many = [&] {
    Source source = mm.format.isFloat() ? Source::Stream : Source::Panel;
    func::FuncOp kernel =
        rowsKernel(library, mm, {source, widest, false}, e.loc);
    emitManyRows(e, mm, kernel, widest,
                 source == Source::Panel ? inPanel(false) : call);
  };
  auto withoutEngine = [&] {
    if (mm.chunkRows <= widest) return few();
    e.when(e.less(call.count(e), e.c64(widest + 1)), few, many);
  };
  if (!mm.usesEngine(library.cpu)) return withoutEngine();
  int64_t rows = library.cpu.tokensPerEngine();
  e.when(e.less(call.count(e), e.c64(rows)), withoutEngine, [&] {
    emitManyRows(e, mm, engineKernel(library, mm, e.loc), rows, inPanel(true));
  });
}

}  // namespace gemmac::targets
