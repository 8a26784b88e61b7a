// SPDX-License-Identifier: Apache-2.0
// See AttentionBlock.h.
#include "targets/cpu/AttentionBlock.h"

#include <cassert>
#include <limits>

#include "targets/cpu/RowEmission.h"

using namespace mlir;
using gemmac::kernel::kAttentionStateFloats;

namespace gemmac::targets {
namespace {

// Heads whose scores are made at once: more would spill on 16 registers.
constexpr int64_t kHeadsAtOnce = 4;
static_assert(kScoreBytes == kHeadsAtOnce * kKvBlock * 4);

// One kv head's part of a cache block, and the positions [lo, hi) in it that
// the row sees.
struct CacheBlock {
  Value keys, values, lo, hi;
  // Vectors of 16 positions.
  Value firstVector(Emitter &e) const { return e.divC(lo, kLanes); }
  Value endVector(Emitter &e) const {
    return e.divC(e.add(hi, e.c64(kLanes - 1)), kLanes);
  }
};

// At most kHeadsAtOnce heads of the group.
struct HeadGroup {
  int64_t heads;
  Value query;        // of the first
  HeadStates states;  // of the first
  Value scores;       // [heads][128], scratch
  Value scoresOf(Emitter &e, int64_t head) const {
    return e.at(scores, head * kKvBlock * 4);
  }
};

// The scores of 16 keys, whose lines are at `lines`: one sum a head.
SmallVector<Value> emitProducts(Emitter &e, const Attention &a,
                                const HeadGroup &group, Value lines) {
  int64_t lineBytes = kLanes * a.elementBytes();
  return e.loop(
      e.c64(0), e.c64(a.width), 1, SmallVector<Value>(group.heads, e.splatF(0)),
      [&](Value i, ValueRange acc) {
        Value k = e.loadWide(kernel::stringifyKvFormat(a.format),
                             e.at(lines, e.mul(i, e.c64(lineBytes))));
        SmallVector<Value> next;
        for (int64_t h = 0; h < group.heads; ++h) {
          Value q = e.load(
              e.f32(), e.at(e.at(group.query, h * a.width * 4), e.shl(i, 2)));
          next.push_back(e.fma(k, e.splat(q), acc[h]));
        }
        return next;
      });
}

// Which of the 16 positions from 16·g on the row sees.
Value emitSeen(Emitter &e, const CacheBlock &block, Value g, Value lanes) {
  Value at = e.add(e.splat(e.truncate(e.i32(), e.mul(g, e.c64(16)))), lanes);
  Value above = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sge, at,
                                      e.splat(e.truncate(e.i32(), block.lo)));
  Value below = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, at,
                                      e.splat(e.truncate(e.i32(), block.hi)));
  return e.andI(above, below);
}

// scores[h][p] = softcap(q · k · scale) where seen, −inf elsewhere; returns
// each head's max.
SmallVector<Value> emitScores(Emitter &e, const Attention &a,
                              const HeadGroup &group, const CacheBlock &block) {
  int64_t vectorBytes = a.width * kLanes * a.elementBytes();
  Value infinity = e.splatF(-std::numeric_limits<float>::infinity());
  Value first = block.firstVector(e);
  Value last = block.endVector(e);
  Value lanes = e.laneNumbers();
  auto maxima = e.loop(
      first, last, 1, SmallVector<Value>(group.heads, infinity),
      [&](Value g, ValueRange carried) {
        Value lines = e.at(block.keys, e.mul(g, e.c64(vectorBytes)));
        SmallVector<Value> sums = emitProducts(e, a, group, lines);
        Value seen = emitSeen(e, block, g, lanes);
        SmallVector<Value> next;
        for (int64_t h = 0; h < group.heads; ++h) {
          Value s = e.mul(sums[h], e.splatF(a.scale));
          if (a.softcap != 0) s = emitSoftcap(e, s, a.softcap);
          s = e.select(seen, s, infinity);
          e.store(s, e.at(group.scoresOf(e, h), e.mul(g, e.c64(kLanes * 4))));
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
Value emitWeights(Emitter &e, Value scores, Value max,
                  const CacheBlock &block) {
  Value infinity = e.splatF(-std::numeric_limits<float>::infinity());
  Value first = block.firstVector(e), end = block.endVector(e);
  Value sum = e.loop(
      first, end, 1, {e.splatF(0)},
      [&](Value g, ValueRange carried) -> SmallVector<Value> {
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
  if (count == kLanes)
    return e.loadWide(kernel::stringifyKvFormat(a.format), line);
  if (a.elementBytes() == 4) return e.loadLanes(line, count);
  Value v = e.splatF(0);
  for (int64_t i = 0; i < count; ++i)
    v = vector::InsertOp::create(
        e.b, e.loc, e.widenBf16(e.load(e.i16(), line, i * a.elementBytes())), v,
        ArrayRef<int64_t>{i});
  return v;
}

// acc[h][e] = Σ_p weight[h][p] · V[p][e] for the columns [column, column +
// columns), p increasing over [lo, hi).
void emitColumns(Emitter &e, const Attention &a, const HeadGroup &group,
                 const CacheBlock &block, Value column, int64_t columns) {
  int64_t heads = group.heads, size = a.elementBytes();
  auto lanes = [&](int64_t from) { return std::min(kLanes, columns - from); };
  int64_t vectors = (columns + kLanes - 1) / kLanes;
  auto results = e.loop(
      block.lo, block.hi, 1, SmallVector<Value>(heads * vectors, e.splatF(0)),
      [&](Value p, ValueRange acc) {
        Value line = e.at(e.at(block.values, e.mul(p, e.c64(a.width * size))),
                          e.mul(column, e.c64(size)));
        SmallVector<Value> next;
        for (int64_t i = 0; i < vectors; ++i) {
          Value v = loadValues(e, a, e.at(line, i * kLanes * size),
                               lanes(i * kLanes));
          for (int64_t h = 0; h < heads; ++h) {
            Value w = e.load(e.f32(), e.at(group.scoresOf(e, h), e.shl(p, 2)));
            next.push_back(e.fma(e.splat(w), v, acc[i * heads + h]));
          }
        }
        return next;
      });
  for (int64_t h = 0; h < heads; ++h) {
    Value state = group.states.of(e, h);
    Value to = e.at(e.at(state, kAttentionStateFloats * 4), e.shl(column, 2));
    for (int64_t i = 0; i < vectors; ++i)
      e.storeLanes(results[i * heads + h], e.at(to, i * kLanes * 4),
                   lanes(i * kLanes));
  }
}

// All columns, `sums` vectors of (head, 16 columns) at once: the more, the
// longer the pieces of V that are read, which in decoding come from memory.
void emitValues(Emitter &e, const Attention &a, const HeadGroup &group,
                const CacheBlock &block, int64_t sums) {
  int64_t step = std::max<int64_t>(1, sums / group.heads) * kLanes;
  int64_t whole = a.width / step * step;
  e.loop(e.c64(0), e.c64(whole), step,
         [&](Value column) { emitColumns(e, a, group, block, column, step); });
  if (a.width > whole)
    emitColumns(e, a, group, block, e.c64(whole), a.width - whole);
}

}  // namespace

std::string Attention::name() const {
  return std::to_string(heads) + "x" + std::to_string(kvHeads) + "x" +
         std::to_string(width) + "_w" + std::to_string(window) + "_" +
         floatBits(scale) + "_" + floatBits(softcap) + "_" +
         kernel::stringifyKvFormat(format).str();
}

Value HeadStates::of(Emitter &e, int64_t head) const {
  return e.at(first, e.mul(stride, e.c64(head)));
}

// Arguments: query of the group's first head, the kv head's keys and values,
// lo, hi, states, bytes between heads' states, scores.
func::FuncOp blockKernel(KernelLibrary &library, const Attention &a,
                         Location loc) {
  assert(a.heads == a.kvHeads * a.group && "every query head has a kv head");
  Type p = LLVM::LLVMPointerType::get(loc.getContext());
  Type i = IntegerType::get(loc.getContext(), 64);
  return library.get(
      a.key(loc.getContext(), "attention_partial"),
      "attention_partial_" + a.name(), {p, p, p, i, i, p, i, p}, loc,
      [&](Emitter &e, ValueRange args) {
        CacheBlock block{args[1], args[2], args[3], args[4]};
        HeadStates states{args[5], args[6]};
        for (int64_t from = 0; from < a.group; from += kHeadsAtOnce) {
          HeadGroup group;
          group.heads = std::min<int64_t>(kHeadsAtOnce, a.group - from);
          group.query = e.at(args[0], from * a.width * 4);
          group.states = {states.of(e, from), states.stride};
          group.scores = args[7];
          SmallVector<Value> maxima = emitScores(e, a, group, block);
          for (int64_t h = 0; h < group.heads; ++h) {
            Value sum = emitWeights(e, group.scoresOf(e, h), maxima[h], block);
            Value state = group.states.of(e, h);
            e.store(maxima[h], state);
            e.store(sum, e.at(state, 4));
          }
          emitValues(e, a, group, block, library.cpu.sumsInRegisters());
        }
      });
}

void callBlock(Emitter &e, const Attention &a, func::FuncOp kernel,
               const AttentionRow &at, Value block, const HeadStates &states) {
  int64_t headBytes = a.headBytes();
  Value base = emitBlockPointer(e, at.row, at.layer, block);
  Value keys = e.at(base, e.mul(at.kvHead, e.c64(headBytes)));
  Value values = e.at(keys, a.kvHeads * headBytes);
  Value start = e.mul(block, e.c64(kKvBlock));
  Value lo = e.maxI(e.c64(0), e.sub(at.span.begin, start));
  Value hi = e.minI(e.c64(kKvBlock), e.sub(at.span.end, start));
  func::CallOp::create(e.b, e.loc, kernel,
                       ValueRange{at.query, keys, values, lo, hi, states.first,
                                  states.stride, at.scores});
}

func::FuncOp foldKernel(KernelLibrary &library, int64_t width, Location loc) {
  KernelKey key = kernelKey(loc.getContext(), "attention_fold", width);
  std::string name = "attention_fold_" + std::to_string(width);
  Type p = LLVM::LLVMPointerType::get(loc.getContext());
  return library.get(key, name, {p, p}, loc, [&](Emitter &e, ValueRange args) {
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
}

void emitDivide(Emitter &e, int64_t width, Value state, Value out) {
  Value sum = e.splat(e.load(e.f32(), state, 4));
  Value acc = e.at(state, kAttentionStateFloats * 4);
  e.lanes(width, [&](Value at, int64_t count) {
    e.storeLanes(e.div(e.loadLanes(e.at(acc, at), count), sum), e.at(out, at),
                 count);
  });
}

}  // namespace gemmac::targets
