// SPDX-License-Identifier: Apache-2.0
// See Avx2.h. AVX2 has no exact dot of 8-bit codes: how one is made of what
// saturates.
#include "targets/x86/Avx2.h"

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/CpuTarget.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// AVX2 has no exact u8 × s8 dot: vpmaddubsw adds pairs in i16 and saturates.
// Codes below 8 bits never reach that limit, so several products are added in
// i16 first: 127 · 2 · (2^bits − 1) · n ≤ 32767 allows n = 8, 4, 2 of them for
// 4, 5, 6 bits before one vpmaddwd widens. 8-bit codes go signed: |w| × x with
// w's sign moved onto x, where 2 · 128 · 127 still fits.
class Avx2Dot {
 public:
  Avx2Dot(Emitter &e, const GroupDot &dot) : e(e), dot(dot) {}

  SmallVector<Value> run() {
    size_t tokens = dot.tokens.size();
    int64_t perWiden = dot.codeBits == 4   ? 8
                       : dot.codeBits == 5 ? 4
                       : dot.codeBits == 6 ? 2
                                           : 1;
    SmallVector<Value> wide(2 * tokens), narrow(2 * tokens);
    for (int64_t j = 0; j < dot.steps; ++j) {
      Value codes = dot.codes(j);
      for (int half = 0; half < 2; ++half) {
        Value w = e.slice(codes, 32 * half, 32);
        if (dot.codeBits == 8) w = toSigned(w);
        for (size_t m = 0; m < tokens; ++m)
          addTo(narrow[2 * m + half], product(w, broadcast(m, j)));
      }
      if ((j + 1) % perWiden == 0 || j + 1 == dot.steps)
        for (auto [sum, part] : llvm::zip(wide, narrow)) {
          addTo(sum, widen(part));
          part = Value();
        }
    }
    SmallVector<Value> result;
    for (size_t m = 0; m < tokens; ++m) {
      Value sum = e.concat(wide[2 * m], wide[2 * m + 1]);
      if (dot.codeBits != 8 && dot.zeroPoint)
        sum = e.sub(sum, e.splat(e.mul(dot.sums[m], e.c32(dot.zeroPoint))));
      result.push_back(sum);
    }
    return result;
  }

 private:
  VectorType bytes() { return e.vec(e.i8(), 32); }
  VectorType words() { return e.vec(e.i16(), 16); }

  void addTo(Value &sum, Value part) { sum = sum ? e.add(sum, part) : part; }
  Value toSigned(Value codes) {
    Value top = e.splatI(e.i8(), -128, 32);
    return arith::XOrIOp::create(e.b, e.loc, codes, top);
  }
  Value broadcast(size_t m, int64_t j) {
    Value x = e.load(e.i32(), dot.tokens[m], 4 * j);
    return e.bitcast(bytes(), e.splat(x, 8));
  }
  Value product(Value w, Value x) {
    if (dot.codeBits == 8) {
      x = e.intrinsic("llvm.x86.avx2.psign.b", bytes(), {x, w});
      w = e.intrinsic("llvm.x86.avx2.psign.b", bytes(), {w, w});
    }
    return e.intrinsic("llvm.x86.avx2.pmadd.ub.sw", words(), {w, x});
  }
  Value widen(Value part) {
    return e.intrinsic("llvm.x86.avx2.pmadd.wd", e.vec(e.i32(), 8),
                       {part, e.splatI(e.i16(), 1, 16)});
  }

  Emitter &e;
  const GroupDot &dot;
};

// Two sums of eight products in i16 each, as codes of four bits allow: more
// would not fit into 16 registers.
constexpr int64_t kSums = 2, kProducts = 8;

void emitPeak(Emitter &e, Value rounds, Value sink) {
  Type words = e.vec(e.i16(), 16), wide = e.vec(e.i32(), 8);
  SmallVector<Value> codes, start;
  for (int64_t j = 0; j < kProducts; ++j)
    codes.push_back(emitUnknownBytes(e, rounds, 32, j));
  for (int64_t i = 0; i < kSums; ++i) {
    start.push_back(e.splatI(e.i32(), i, 8));
    start.push_back(emitUnknownBytes(e, rounds, 32, 2 * i + 1));
  }
  ValueRange carried =
      e.loop(e.c64(0), rounds, 1, start, [&](Value, ValueRange carried) {
        SmallVector<Value> next;
        for (int64_t i = 0; i < kSums; ++i) {
          Value sum = carried[2 * i], tokens = carried[2 * i + 1], part;
          for (Value code : codes) {
            Value product =
                e.intrinsic("llvm.x86.avx2.pmadd.ub.sw", words, {code, tokens});
            part = part ? e.add(part, product) : product;
          }
          Value widened = e.intrinsic("llvm.x86.avx2.pmadd.wd", wide,
                                      {part, e.splatI(e.i16(), 1, 16)});
          next.push_back(e.add(sum, widened));
          // Else the products would be made once, before the loop.
          next.push_back(e.add(tokens, e.splatI(e.i8(), 1, 32)));
        }
        return next;
      });
  Value total = carried[0];
  for (int64_t i = 1; i < kSums; ++i) total = e.add(total, carried[2 * i]);
  e.store(total, sink);
}

class Avx2 : public CpuTarget {
 public:
  using CpuTarget::CpuTarget;
  SmallVector<Value> groupDot(Emitter &e, const GroupDot &dot) const override {
    return Avx2Dot(e, dot).run();
  }
  int64_t dotPeakOperations() const override {
    return kSums * kProducts * 32 * 2;
  }
  void dotPeak(Emitter &e, KernelLibrary &, Value rounds,
               Value sink) const override {
    emitPeak(e, rounds, sink);
  }
};

}  // namespace

const Target &avx2Target() {
  static const Avx2 target(
      {"x86_64-avx2",
       "AVX2, FMA and F16C (x86-64-v3: Haswell, Zen and later)",
       {x86_64(), "x86-64-v3", "", 256},
       GEMMA_CPU_AVX2_FMA_F16C_BMI,
       {"avx2", "fma", "f16c", "bmi2"}});
  return target;
}

}  // namespace gemmac::targets
