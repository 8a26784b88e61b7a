// x86 targets: the two levels and their dot products of 8-bit codes.
#include "targets/x86/X86.h"

#include "llvm/TargetParser/Host.h"
#include "runtime/include/gemma/ModelAbi.h"
#include "targets/common/CpuPipeline.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// vpdpbusd: u8 codes × s8 activations, four columns a lane, exact in i32. The
// zero point starts the accumulator at −z·Σx and costs nothing.
SmallVector<Value> dotVnni(Emitter &e, const GroupDot &dot) {
  SmallVector<Value> sums;
  for (Value sum : dot.sums)
    sums.push_back(e.splat(e.mul(sum, e.c32(-dot.zeroPoint))));
  Type bytes = e.vec(e.i8(), 64);
  for (int64_t j = 0; j < dot.steps; ++j) {
    Value codes = dot.codes(j);
    for (auto [m, token] : llvm::enumerate(dot.tokens)) {
      Value x = e.splat(e.load(e.i32(), token, 4 * j));
      sums[m] = e.intrinsic("llvm.x86.avx512.vpdpbusd.512", e.vec(e.i32()),
                            {sums[m], codes, e.bitcast(bytes, x)});
    }
  }
  return sums;
}

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

struct Level {
  const char *name, *description;
  Machine machine;
  uint64_t features;
  int64_t tokens;
  std::vector<const char *> required;
};

class X86 : public Target, public CpuKernels {
 public:
  explicit X86(Level level) : level(std::move(level)) {}
  StringRef name() const override { return level.name; }
  StringRef description() const override { return level.description; }
  StringRef architecture() const override { return "x86_64"; }
  bool runsHere() const override {
    auto features = llvm::sys::getHostCPUFeatures();
    return llvm::all_of(level.required, [&](const char *feature) {
      return features.lookup(feature);
    });
  }
  llvm::Error checkOptions(const CodeOptions &options) const override {
    return checkCpuOptions(level.machine, options);
  }
  void buildLowering(OpPassManager &manager) const override {
    buildCpuLowering(manager, *this, {level.name, level.features});
  }
  FailureOr<SmallVector<char, 0>> emit(
      ModuleOp module, Output output,
      const CodeOptions &options) const override {
    return emitCpuCode(module, level.machine, output, options);
  }
  int64_t tokensPerTile() const override { return level.tokens; }
  SmallVector<Value> groupDot(Emitter &e, const GroupDot &dot) const override {
    if (level.machine.vectorBits == 512) return dotVnni(e, dot);
    return Avx2Dot(e, dot).run();
  }

 private:
  Level level;
};

constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

}  // namespace

const Target &x86Avx512Target() {
  static const X86 target(
      {"x86_64-avx512",
       "AVX-512 F BW DQ VL and VNNI (Ice Lake, Zen 4 and later)",
       {kTriple, "x86-64-v4", "+avx512vnni", 512},
       GEMMA_CPU_AVX2_FMA_F16C_BMI | GEMMA_CPU_AVX512_CORE |
           GEMMA_CPU_AVX512_VNNI,
       8,
       {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx2",
        "fma", "f16c", "bmi2"}});
  return target;
}

const Target &x86Avx2Target() {
  static const X86 target({"x86_64-avx2",
                           "AVX2, FMA and F16C (x86-64-v3: Haswell, Zen and "
                           "later)",
                           {kTriple, "x86-64-v3", "", 256},
                           GEMMA_CPU_AVX2_FMA_F16C_BMI,
                           4,
                           {"avx2", "fma", "f16c", "bmi2"}});
  return target;
}

}  // namespace gemmac::targets
