// SPDX-License-Identifier: Apache-2.0
// See MatmulBlock.h.
#include "targets/cpu/MatmulBlock.h"

#include "targets/cpu/PackedEmission.h"

using namespace mlir;
using gemmac::quantized::CodeDescriptor;

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

// With `isSigned` the codes lose their zero point: then every format's are s8.
void unpackPanel(Emitter &e, const CpuKernels &cpu, const Matmul &mm,
                 Value rowBlock, Value panel, bool isSigned) {
  const CodeDescriptor &d = *mm.format.codes();
  auto stored = [&](Value codes) {
    if (!isSigned || d.zeroPoint == 0) return codes;
    return e.sub(codes, e.splatI(e.i8(), int8_t(d.zeroPoint), 64));
  };
  PanelLayout layout(d);
  emitGroupLoop(
      e, d, rowBlock, mm.k, cpu.prefetchDistance(), {},
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

// Where M rows find a weight block: in the packed stream (float weights always
// do), or in a panel.
enum class Source { Stream, Panel };

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
std::string rowsKernel(KernelLibrary &library, const Matmul &mm, Source source,
                       int64_t m, bool few, Location loc) {
  std::string name = "matmul_" + std::string(few ? "few" : "rows") +
                     (source == Source::Panel ? "_panel_" : "_") + mm.shape() +
                     "_m" + std::to_string(m);
  Type pointer = LLVM::LLVMPointerType::get(loc.getContext());
  Type i64 = IntegerType::get(loc.getContext(), 64);
  SmallVector<Type> types{pointer, pointer, pointer, i64};
  if (few) types.push_back(i64);
  library.get(name, types, loc, [&](Emitter &e, ValueRange arguments) {
    auto row = [&](Value start, int64_t i, int64_t bytes) {
      if (!few || i == 0) return e.at(start, i * bytes);
      return e.at(start, e.mul(e.minI(e.c64(i), arguments[4]), e.c64(bytes)));
    };
    SmallVector<Value> rows;
    for (int64_t i = 0; i < m; ++i)
      rows.push_back(row(arguments[1], i, mm.inBytes));
    SmallVector<Value> sums =
        emitDots(e, library.cpu, mm, source, arguments[0], rows);
    for (int64_t i = 0; i < m; ++i)
      storeBlock(e, mm, sums[i], row(arguments[2], i, mm.outBytes),
                 arguments[3]);
  });
  return name;
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
        Value buffers = e.at(panel, mm.panelBytes(library.cpu));
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

void callRows(Emitter &e, const Matmul &mm, StringRef kernel,
              const BlockCall &call, Value row, Value last = {}) {
  SmallVector<Value> operands{
      call.weights, e.at(call.in, e.mul(row, e.c64(mm.inBytes))),
      e.at(call.out, e.mul(row, e.c64(mm.outBytes))), call.block};
  if (last) operands.push_back(last);
  func::CallOp::create(e.b, e.loc, kernel, TypeRange(), operands);
}

// At least M rows, M at a time. The last tile starts where it ends with them,
// and makes the rows that it shares with the one before again, to the same
// bits.
void emitManyRows(Emitter &e, const Matmul &mm, StringRef kernel, int64_t m,
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
  const CodeDescriptor *d = mm.format.codes();
  int64_t widest = library.cpu.tokensPerTile();
  if (d && PanelLayout(*d).scales == 2) widest /= 2;
  Value last = e.sub(call.count(e), e.c64(1));
  auto tile = [&](int64_t width) {
    int64_t step = std::min(width, widest);
    std::string kernel =
        rowsKernel(library, mm, Source::Stream, step, true, e.loc);
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
  return k / 32 * PanelLayout(*format.codes()).groupBytes();
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
    unpackPanel(e, library.cpu, mm, call.weights, scratch, isSigned);
    BlockCall panel = call;
    panel.weights = scratch;
    return panel;
  };
  auto few = [&] { emitFewRows(e, library, mm, widest, call); };
  auto many = [&] {
    Source source = mm.format.isFloat() ? Source::Stream : Source::Panel;
    emitManyRows(e, mm, rowsKernel(library, mm, source, widest, false, e.loc),
                 widest, source == Source::Panel ? inPanel(false) : call);
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
