// SPDX-License-Identifier: Apache-2.0
// Attention over the KV cache and the store into it. A block of 128 positions
// yields, for each of the G query heads that share a kv head, (max, sum,
// acc[E]); blocks are folded left in position order. Keys stand 16 in lanes, so
// a score is one fma chain over e and the softmax needs no cross-lane step but
// its max and its sum (docs/numerics.md, point 5).
#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/KernelLibrary.h"
#include "targets/cpu/RowEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

constexpr int64_t kBlock = GEMMA_KV_BLOCK;

struct Attention {
  template <typename Op>
  Attention(Op op, Value query)
      : width(op.getHeadDim()),
        heads(cast<MemRefType>(query.getType()).getDimSize(1) / width),
        kvHeads(op.getKvHeads()),
        group(heads / kvHeads),
        window(op.getWindow()),
        scale(op.getScale().convertToFloat()),
        softcap(op.getSoftcap().convertToFloat()),
        format(stringifyKvFormat(op.getKvFormat())) {}
  int64_t elementBytes() const { return format == "f32" ? 4 : 2; }
  int64_t stateBytes() const { return (width + kAttentionStateFloats) * 4; }
  std::string name() const {
    return std::to_string(heads) + "x" + std::to_string(kvHeads) + "x" +
           std::to_string(width) + "_w" + std::to_string(window) + "_" +
           std::to_string(llvm::bit_cast<uint32_t>(scale)) + "_" +
           std::to_string(llvm::bit_cast<uint32_t>(softcap)) + "_" +
           format.str();
  }
  int64_t width, heads, kvHeads, group, window;
  float scale, softcap;
  StringRef format;
};

// First and one past the last position that a row sees.
struct Span {
  Value begin, end;
};
Span visible(Emitter &e, Value row, int64_t window) {
  auto field = [&](int64_t offset) {
    return e.signExtend(e.i64(), e.load(e.i32(), row, offset));
  };
  Value position = field(abi::kRowPosition);
  Value begin =
      window ? e.maxI(e.c64(0), e.sub(position, e.c64(window - 1))) : e.c64(0);
  return {begin, e.add(field(abi::kRowVisibleEnd), e.c64(1))};
}

Value firstBlock(Emitter &e, const Span &span) {
  return e.divC(span.begin, kBlock);
}
Value endBlock(Emitter &e, const Span &span) {
  return e.divC(e.add(span.end, e.c64(kBlock - 1)), kBlock);
}

// The cache block of `block` in `layer` for the row's session.
Value blockPointer(Emitter &e, Value row, Value layer, Value block) {
  Value layers =
      LLVM::AddressOfOp::create(e.b, e.loc, e.ptrType(), kKvLayersSymbol);
  Value entry = e.at(layers, e.mul(layer, e.c64(abi::kKvLayerBytes)));
  auto field = [&](int64_t offset) {
    return e.signExtend(e.i64(), e.load(e.i32(), entry, offset));
  };
  Value slot =
      e.add(field(0), arith::RemUIOp::create(e.b, e.loc, block, field(4)));
  Value table = e.load(e.ptrType(), row, abi::kRowKv);
  return e.load(e.ptrType(), e.at(table, e.shl(slot, 3)));
}

// Scores of one group of at most 4 heads (more would spill on 16 registers)
// against the block's keys, into scores[g][128]; returns each head's max.
SmallVector<Value> emitScores(Emitter &e, const Attention &a, Value query,
                              int64_t heads, Value keys, Value lo, Value hi,
                              Value scores) {
  int64_t lineBytes = kLanes * a.elementBytes();
  Value infinity = e.splatF(-std::numeric_limits<float>::infinity());
  Value first = e.divC(lo, kLanes);
  Value last = e.divC(e.add(hi, e.c64(kLanes - 1)), kLanes);
  Value lanes = e.laneNumbers();
  auto maxima = e.loop(
      first, last, 1, SmallVector<Value>(heads, infinity),
      [&](Value g, ValueRange carried) {
        Value lines = e.at(keys, e.mul(g, e.c64(a.width * lineBytes)));
        auto sums = e.loop(
            e.c64(0), e.c64(a.width), 1, SmallVector<Value>(heads, e.splatF(0)),
            [&](Value i, ValueRange acc) {
              Value k =
                  e.loadWide(a.format, e.at(lines, e.mul(i, e.c64(lineBytes))));
              SmallVector<Value> next;
              for (int64_t h = 0; h < heads; ++h) {
                Value q = e.load(
                    e.f32(), e.at(e.at(query, h * a.width * 4), e.shl(i, 2)));
                next.push_back(e.fma(k, e.splat(q), acc[h]));
              }
              return next;
            });
        Value at =
            e.add(e.splat(e.truncate(e.i32(), e.mul(g, e.c64(16)))), lanes);
        Value above =
            arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sge, at,
                                  e.splat(e.truncate(e.i32(), lo)));
        Value below =
            arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, at,
                                  e.splat(e.truncate(e.i32(), hi)));
        Value seen = e.andI(above, below);
        SmallVector<Value> next;
        for (int64_t h = 0; h < heads; ++h) {
          Value s = e.mul(sums[h], e.splatF(a.scale));
          if (a.softcap != 0) s = emitSoftcap(e, s, a.softcap);
          s = e.select(seen, s, infinity);
          e.store(s, e.at(e.at(scores, h * kBlock * 4),
                          e.mul(g, e.c64(kLanes * 4))));
          next.push_back(e.max(s, carried[h]));
        }
        return next;
      });
  SmallVector<Value> result;
  for (Value lanes : maxima)
    result.push_back(
        e.tree(lanes, [&](Value x, Value y) { return e.max(x, y); }));
  return result;
}

// scores := exp(score − max) where seen, 0 elsewhere; returns their sum.
Value emitWeights(Emitter &e, Value scores, Value max, Value lo, Value hi) {
  Value infinity = e.splatF(-std::numeric_limits<float>::infinity());
  Value sum = e.loop(
      e.divC(lo, kLanes), e.divC(e.add(hi, e.c64(kLanes - 1)), kLanes), 1,
      {e.splatF(0)}, [&](Value g, ValueRange carried) -> SmallVector<Value> {
        Value at = e.at(scores, e.mul(g, e.c64(kLanes * 4)));
        Value s = e.load(e.vec(e.f32()), at);
        Value masked = e.compare(arith::CmpFPredicate::OEQ, s, infinity);
        Value p = e.select(masked, e.splatF(0), e.exp(e.sub(s, e.splat(max))));
        e.store(p, at);
        return {e.add(carried[0], p)};
      })[0];
  return e.tree(sum, [&](Value x, Value y) { return e.add(x, y); });
}

// `count` elements of V as f32, 16 lanes.
Value loadValues(Emitter &e, const Attention &a, Value line, int64_t count) {
  if (count == kLanes) return e.loadWide(a.format, line);
  if (a.elementBytes() == 4) return e.loadLanes(line, count);
  Value v = e.splatF(0);
  for (int64_t i = 0; i < count; ++i)
    v = vector::InsertOp::create(
        e.b, e.loc, e.widenBf16(e.load(e.i16(), line, i * a.elementBytes())), v,
        ArrayRef<int64_t>{i});
  return v;
}

// acc[h][e] = Σ_p weight[h][p] · V[p][e], p increasing over [lo, hi), for
// `sums` vectors of (head, 16 columns) at once: the more, the longer the pieces
// of V that are read, which in decoding come from memory.
void emitValues(Emitter &e, const Attention &a, Value values, int64_t heads,
                Value scores, Value lo, Value hi, Value states,
                Value stateStride, int64_t sums) {
  int64_t size = a.elementBytes();
  // Columns [column, column + columns).
  auto chunk = [&](Value column, int64_t columns) {
    auto lanes = [&](int64_t from) { return std::min(kLanes, columns - from); };
    int64_t vectors = (columns + kLanes - 1) / kLanes;
    auto results = e.loop(
        lo, hi, 1, SmallVector<Value>(heads * vectors, e.splatF(0)),
        [&](Value p, ValueRange acc) {
          Value line = e.at(e.at(values, e.mul(p, e.c64(a.width * size))),
                            e.mul(column, e.c64(size)));
          SmallVector<Value> next;
          for (int64_t i = 0; i < vectors; ++i) {
            Value v = loadValues(e, a, e.at(line, i * kLanes * size),
                                 lanes(i * kLanes));
            for (int64_t h = 0; h < heads; ++h) {
              Value w = e.load(e.f32(),
                               e.at(e.at(scores, h * kBlock * 4), e.shl(p, 2)));
              next.push_back(e.fma(e.splat(w), v, acc[i * heads + h]));
            }
          }
          return next;
        });
    for (int64_t h = 0; h < heads; ++h) {
      Value state = e.at(states, e.mul(stateStride, e.c64(h)));
      Value to = e.at(e.at(state, kAttentionStateFloats * 4), e.shl(column, 2));
      for (int64_t i = 0; i < vectors; ++i)
        e.storeLanes(results[i * heads + h], e.at(to, i * kLanes * 4),
                     lanes(i * kLanes));
    }
  };
  int64_t step = std::max<int64_t>(1, sums / heads) * kLanes;
  int64_t whole = a.width / step * step;
  e.loop(e.c64(0), e.c64(whole), step,
         [&](Value column) { chunk(column, step); });
  if (a.width > whole) chunk(e.c64(whole), a.width - whole);
}

// Function (query of the group's first head, cache block of the kv head's
// keys, values, lo, hi, states, bytes between heads' states, scores scratch):
// one block's (max, sum, acc) for all G heads.
std::string blockKernel(KernelLibrary &library, const Attention &a,
                        Location loc) {
  std::string name = "attention_partial_" + a.name();
  Type p = LLVM::LLVMPointerType::get(loc.getContext());
  Type i = IntegerType::get(loc.getContext(), 64);
  library.get(
      name, {p, p, p, i, i, p, i, p}, loc, [&](Emitter &e, ValueRange args) {
        for (int64_t from = 0; from < a.group; from += 4) {
          int64_t heads = std::min<int64_t>(4, a.group - from);
          Value query = e.at(args[0], from * a.width * 4);
          Value lo = args[3], hi = args[4], scores = args[7];
          Value states = e.at(args[5], e.mul(args[6], e.c64(from)));
          SmallVector<Value> maxima =
              emitScores(e, a, query, heads, args[1], lo, hi, scores);
          for (int64_t h = 0; h < heads; ++h) {
            Value sum =
                emitWeights(e, e.at(scores, h * kBlock * 4), maxima[h], lo, hi);
            Value state = e.at(states, e.mul(args[6], e.c64(h)));
            e.store(maxima[h], state);
            e.store(sum, e.at(state, 4));
          }
          emitValues(e, a, args[2], heads, scores, lo, hi, states, args[6],
                     library.cpu.sumsInRegisters());
        }
      });
  return name;
}
constexpr int64_t kScoreBytes = 4 * kBlock * 4;

// Calls the block kernel for block `block` of a row and kv head.
void callBlock(Emitter &e, const Attention &a, StringRef kernelName, Value row,
               Value layer, const Span &span, Value query, Value kvHead,
               Value block, Value states, Value stride, Value scores) {
  int64_t headBytes = kBlock * a.width * a.elementBytes();
  Value base = blockPointer(e, row, layer, block);
  Value keys = e.at(base, e.mul(kvHead, e.c64(headBytes)));
  Value values = e.at(keys, a.kvHeads * headBytes);
  Value start = e.mul(block, e.c64(kBlock));
  Value lo = e.maxI(e.c64(0), e.sub(span.begin, start));
  Value hi = e.minI(e.c64(kBlock), e.sub(span.end, start));
  func::CallOp::create(
      e.b, e.loc, kernelName, TypeRange(),
      ValueRange{query, keys, values, lo, hi, states, stride, scores});
}

// state := state folded with partial.
std::string foldKernel(KernelLibrary &library, int64_t width, Location loc) {
  std::string name = "attention_fold_" + std::to_string(width);
  Type p = LLVM::LLVMPointerType::get(loc.getContext());
  library.get(name, {p, p}, loc, [&](Emitter &e, ValueRange args) {
    Value state = args[0], partial = args[1];
    auto scalar = [&](Value from, int64_t offset) {
      return e.load(e.f32(), from, offset);
    };
    Value m = scalar(state, 0), mb = scalar(partial, 0);
    Value both = e.max(m, mb);
    Value keep = e.exp(e.splat(e.sub(m, both)));
    Value enter = e.exp(e.splat(e.sub(mb, both)));
    e.store(both, state);
    Value weighted = e.mul(scalar(partial, 4), e.lane(enter, 0));
    e.store(e.fma(scalar(state, 4), e.lane(keep, 0), weighted), e.at(state, 4));
    Value acc = e.at(state, kAttentionStateFloats * 4);
    Value other = e.at(partial, kAttentionStateFloats * 4);
    e.lanes(width, [&](Value at, int64_t count) {
      Value x = e.loadLanes(e.at(acc, at), count);
      Value y = e.loadLanes(e.at(other, at), count);
      e.storeLanes(e.fma(x, keep, e.mul(y, enter)), e.at(acc, at), count);
    });
  });
  return name;
}

// out[E] = acc / sum.
void emitDivide(Emitter &e, int64_t width, Value state, Value out) {
  Value sum = e.splat(e.load(e.f32(), state, 4));
  Value acc = e.at(state, kAttentionStateFloats * 4);
  e.lanes(width, [&](Value at, int64_t count) {
    e.storeLanes(e.div(e.loadLanes(e.at(acc, at), count), sum), e.at(out, at),
                 count);
  });
}

}  // namespace

Value emitAttentionBlocks(Emitter &e, Value context, int64_t window) {
  Value count = stepField(e, context, e.i64(), abi::kCount);
  return e.loop(
      e.c64(0), count, 1, {e.c64(0)},
      [&](Value r, ValueRange most) -> SmallVector<Value> {
        Span span = visible(e, rowPointer(e, context, r), window);
        return {e.maxI(most[0], e.sub(endBlock(e, span), firstBlock(e, span)))};
      })[0];
}

// Operands: context, query, out, tile, layer.
void lowerAttentionTile(AttentionTileOp op, ValueRange operands,
                        OpBuilder &builder, KernelLibrary &library) {
  Attention a(op, op.getQuery());
  int64_t scratch = kScoreBytes + 2 * a.group * a.stateBytes();
  library.call(
      builder, op.getLoc(), "attention_tile_" + a.name(), operands,
      [&](Emitter &e, ValueRange args) {
        std::string block = blockKernel(library, a, e.loc);
        std::string fold = foldKernel(library, a.width, e.loc);
        Value index = e.divC(args[3], a.kvHeads);
        Value kvHead = e.remC(args[3], a.kvHeads);
        Value row = rowPointer(e, args[0], index);
        Span span = visible(e, row, a.window);
        int64_t groupBytes = a.group * a.width * 4;
        Value offset = e.add(e.mul(index, e.c64(a.heads * a.width * 4)),
                             e.mul(kvHead, e.c64(groupBytes)));
        Value query = e.at(args[1], offset), out = e.at(args[2], offset);
        Value scores = scratchPointer(e, args[0]);
        Value states = e.at(scores, kScoreBytes);
        Value partials = e.at(states, a.group * a.stateBytes());
        Value stride = e.c64(a.stateBytes());
        Value first = firstBlock(e, span);
        callBlock(e, a, block, row, args[4], span, query, kvHead, first, states,
                  stride, scores);
        e.loop(e.add(first, e.c64(1)), endBlock(e, span), 1, [&](Value b) {
          callBlock(e, a, block, row, args[4], span, query, kvHead, b, partials,
                    stride, scores);
          for (int64_t g = 0; g < a.group; ++g)
            func::CallOp::create(
                e.b, e.loc, fold, TypeRange(),
                ValueRange{e.at(states, g * a.stateBytes()),
                           e.at(partials, g * a.stateBytes())});
        });
        for (int64_t g = 0; g < a.group; ++g)
          emitDivide(e, a.width, e.at(states, g * a.stateBytes()),
                     e.at(out, g * a.width * 4));
      },
      scratch);
}

// Operands: context, query, partials, tile, blocks, layer.
void lowerAttentionBlock(AttentionBlockOp op, ValueRange operands,
                         OpBuilder &builder, KernelLibrary &library) {
  Attention a(op, op.getQuery());
  int64_t headBytes = int64_t(op.getMaxBlocks()) * a.stateBytes();
  library.call(
      builder, op.getLoc(),
      "attention_block_" + a.name() + "_" + std::to_string(op.getMaxBlocks()),
      operands,
      [&](Emitter &e, ValueRange args) {
        std::string block = blockKernel(library, a, e.loc);
        Value blocks = args[4];
        Value pair = arith::DivUIOp::create(e.b, e.loc, args[3], blocks);
        Value b = arith::RemUIOp::create(e.b, e.loc, args[3], blocks);
        Value index = e.divC(pair, a.kvHeads);
        Value kvHead = e.remC(pair, a.kvHeads);
        Value row = rowPointer(e, args[0], index);
        Span span = visible(e, row, a.window);
        Value at = e.add(firstBlock(e, span), b);
        e.when(e.less(at, endBlock(e, span)), [&] {
          Value head = e.mul(kvHead, e.c64(a.group));
          Value query =
              e.at(args[1], e.mul(e.add(e.mul(index, e.c64(a.heads)), head),
                                  e.c64(a.width * 4)));
          Value states = e.at(
              args[2], e.add(e.mul(e.add(e.mul(index, e.c64(a.heads)), head),
                                   e.c64(headBytes)),
                             e.mul(b, e.c64(a.stateBytes()))));
          callBlock(e, a, block, row, args[5], span, query, kvHead, at, states,
                    e.c64(headBytes), scratchPointer(e, args[0]));
        });
      },
      kScoreBytes);
}

// Operands: context, partials, out, row.
void lowerAttentionFoldRow(AttentionFoldRowOp op, ValueRange operands,
                           OpBuilder &builder, KernelLibrary &library) {
  int64_t width = op.getHeadDim(), most = op.getMaxBlocks();
  int64_t heads = cast<MemRefType>(op.getOut().getType()).getDimSize(1) / width;
  int64_t stateBytes = (width + kAttentionStateFloats) * 4;
  std::string name = "attention_fold_row_" + std::to_string(heads) + "x" +
                     std::to_string(width) + "_" + std::to_string(most) + "_w" +
                     std::to_string(op.getWindow());
  library.call(
      builder, op.getLoc(), name, operands, [&](Emitter &e, ValueRange args) {
        std::string fold = foldKernel(library, width, e.loc);
        Span span = visible(e, rowPointer(e, args[0], args[3]), op.getWindow());
        Value blocks = e.sub(endBlock(e, span), firstBlock(e, span));
        e.loop(e.c64(0), e.c64(heads), 1, [&](Value h) {
          Value head = e.add(e.mul(args[3], e.c64(heads)), h);
          Value states = e.at(args[1], e.mul(head, e.c64(most * stateBytes)));
          e.loop(e.c64(1), blocks, 1, [&](Value b) {
            func::CallOp::create(
                e.b, e.loc, fold, TypeRange(),
                ValueRange{states, e.at(states, e.mul(b, e.c64(stateBytes)))});
          });
          emitDivide(e, width, states,
                     e.at(args[2], e.mul(head, e.c64(width * 4))));
        });
      });
}

// Operands: context, key, value, row, layer, [angles], [gain]. Keys go to 16
// lanes a line, rotated by way of the scratch.
void lowerKvStoreRow(KvStoreRowOp op, ValueRange operands, OpBuilder &builder,
                     KernelLibrary &library) {
  int64_t width = op.getHeadDim();
  int64_t n = cast<MemRefType>(op.getKey().getType()).getDimSize(1);
  StringRef format = stringifyKvFormat(op.getKvFormat());
  int64_t size = format == "f32" ? 4 : 2;
  std::optional<Norm> norm = Norm::of(op);
  std::string name = "kv_store_" + std::to_string(n) + "_" +
                     std::to_string(width) + "_" + format.str() +
                     (op.getAngles() ? "_rope" : "") +
                     (norm ? norm->name() : "");
  int64_t scratch = op.getAngles() ? (width * 4 + 63) / 64 * 64 : 0;
  library.call(
      builder, op.getLoc(), name, operands,
      [&](Emitter &e, ValueRange args) {
        Value row = rowPointer(e, args[0], args[3]);
        Value position =
            e.signExtend(e.i64(), e.load(e.i32(), row, abi::kRowPosition));
        Value base = blockPointer(e, row, args[4], e.divC(position, kBlock));
        Value p = e.remC(position, kBlock);
        Value line =
            e.add(e.mul(e.divC(p, kLanes), e.c64(width * kLanes * size)),
                  e.mul(e.remC(p, kLanes), e.c64(size)));
        Value key = e.at(args[1], e.mul(args[3], e.c64(n * 4)));
        Value value = e.at(args[2], e.mul(args[3], e.c64(n * 4)));
        e.loop(e.c64(0), e.c64(n / width), 1, [&](Value h) {
          Value keys = e.at(base, e.mul(h, e.c64(kBlock * width * size)));
          Value values = e.at(keys, n * kBlock * size);
          Value valueRow = e.at(values, e.mul(p, e.c64(width * size)));
          Value from = e.mul(h, e.c64(width * 4));
          Value keyHead = e.at(key, from), valueHead = e.at(value, from);
          if (op.getAngles()) {
            Value angles = e.at(args[5], e.mul(args[3], e.c64(width * 4)));
            Value rotated = scratchPointer(e, args[0]);
            emitRotatedHead(e, width, keyHead, angles, rotated, norm,
                            norm ? args[6] : Value());
            keyHead = rotated;
          }
          e.lanes(width, [&](Value bytes, int64_t count) {
            auto convert = [&](Value head) {
              Value x = e.loadLanes(e.at(head, bytes), count);
              return size == 4 ? x : e.narrowBf16(x);
            };
            Value column = e.shr(bytes, 2);
            Value k = convert(keyHead), v = convert(valueHead);
            Value to =
                e.at(e.at(keys, line), e.mul(column, e.c64(kLanes * size)));
            for (int64_t i = 0; i < count; ++i)
              e.store(e.lane(k, i), e.at(to, i * kLanes * size));
            to = e.at(valueRow, e.mul(column, e.c64(size)));
            if (count == kLanes) return e.store(v, to);
            for (int64_t i = 0; i < count; ++i)
              e.store(e.lane(v, i), e.at(to, i * size));
          });
        });
      },
      scratch);
}

}  // namespace gemmac::targets
