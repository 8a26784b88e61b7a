// SPDX-License-Identifier: Apache-2.0
// x86 targets: the levels and their dot products of 8-bit codes.
// Source of AMX: Intel SDM vol. 1 chapter 18, vol. 2 (LDTILECFG, TDPBSSD);
// Linux Documentation/arch/x86/xstate.rst (the permission).
#include "targets/x86/X86.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>

#include "llvm/TargetParser/Host.h"
#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/CpuPipeline.h"
#include "targets/cpu/KernelLibrary.h"

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

// AMX's tiles, numbered by hand: LLVM need not allocate any. A tile of tokens
// has 16 rows of 32 or 16 columns, one of codes 8 or 4 rows of 16 outputs × 4
// columns, and their product 16 tokens × 16 outputs of i32.
constexpr int64_t kAmxTokens = 16;
enum AmxTile { kProducts, kTokens32, kCodes32, kTokens16, kCodes16, kTiles };

// The operand of ldtilecfg: palette 1, then 16-bit bytes a row from 16 on and
// 8-bit rows from 48 on.
std::array<uint8_t, 64> amxConfiguration() {
  constexpr uint8_t rows[kTiles] = {16, 16, 8, 16, 4};
  constexpr uint8_t rowBytes[kTiles] = {64, 32, 64, 16, 64};
  std::array<uint8_t, 64> bytes{1};
  for (int tile = 0; tile < kTiles; ++tile) {
    bytes[16 + 2 * tile] = rowBytes[tile];
    bytes[48 + tile] = rows[tile];
  }
  return bytes;
}

void loadTiles(Emitter &e, KernelLibrary &library, StringRef name,
               const std::array<uint8_t, 64> &bytes) {
  auto type = RankedTensorType::get({64}, e.i8());
  Value configuration = library.constants(
      e, name,
      DenseElementsAttr::getFromRawBuffer(
          type, ArrayRef(reinterpret_cast<const char *>(bytes.data()), 64)));
  e.intrinsic("llvm.x86.ldtilecfg", configuration);
}

void startAmx(Emitter &e, KernelLibrary &library) {
  loadTiles(e, library, "amx_configuration", amxConfiguration());
}

Value amxTile(Emitter &e, int64_t number) {
  return arith::ConstantOp::create(e.b, e.loc,
                                   e.b.getIntegerAttr(e.i8(), number));
}

// Between tilezero and the product stand both loads: without them the product
// would wait for the zeros.
void dotAmx(Emitter &e, const EngineDot &dot) {
  bool half = dot.columns == 16;
  Value products = amxTile(e, kProducts);
  Value tokens = amxTile(e, half ? kTokens16 : kTokens32);
  Value codes = amxTile(e, half ? kCodes16 : kCodes32);
  e.intrinsic("llvm.x86.tilezero", products);
  e.intrinsic("llvm.x86.tileloadd64",
              {tokens, dot.tokens, e.c64(dot.tokenBytes)});
  e.intrinsic("llvm.x86.tileloadd64", {codes, dot.codes, e.c64(64)});
  e.intrinsic("llvm.x86.tdpbssd", {products, tokens, codes});
  e.intrinsic("llvm.x86.tilestored64", {products, dot.products, e.c64(64)});
}

// The peaks: products that wait for nothing but their own sum, enough of them
// to hide that. Operands come from `rounds`, so that no compiler knows them.
Value unknownBytes(Emitter &e, Value rounds, int64_t bytes, int64_t offset) {
  Value all = e.splat(e.truncate(e.i8(), rounds), bytes);
  return e.add(all, e.splatI(e.i8(), offset, bytes));
}

constexpr int64_t kVnniSums = 16;
constexpr int64_t kVnniPeak = kVnniSums * 64 * 2;
void peakVnni(Emitter &e, Value rounds, Value sink) {
  Value codes = unknownBytes(e, rounds, 64, 1);
  Value tokens = unknownBytes(e, rounds, 64, 2);
  SmallVector<Value> start;
  for (int64_t i = 0; i < kVnniSums; ++i) start.push_back(e.splatI(e.i32(), i));
  ValueRange sums =
      e.loop(e.c64(0), rounds, 1, start, [&](Value, ValueRange carried) {
        SmallVector<Value> next;
        for (Value sum : carried)
          next.push_back(e.intrinsic("llvm.x86.avx512.vpdpbusd.512",
                                     e.vec(e.i32()), {sum, codes, tokens}));
        return next;
      });
  Value total = sums[0];
  for (Value sum : sums.drop_front()) total = e.add(total, sum);
  e.store(total, sink);
}

// Two sums of eight products in i16 each, as codes of four bits allow: more
// would not fit into 16 registers.
constexpr int64_t kAvx2Sums = 2, kAvx2Products = 8;
constexpr int64_t kAvx2Peak = kAvx2Sums * kAvx2Products * 32 * 2;
void peakAvx2(Emitter &e, Value rounds, Value sink) {
  constexpr int64_t kSums = kAvx2Sums, kProducts = kAvx2Products;
  Type words = e.vec(e.i16(), 16), wide = e.vec(e.i32(), 8);
  SmallVector<Value> codes, start;
  for (int64_t j = 0; j < kProducts; ++j)
    codes.push_back(unknownBytes(e, rounds, 32, j));
  for (int64_t i = 0; i < kSums; ++i) {
    start.push_back(e.splatI(e.i32(), i, 8));
    start.push_back(unknownBytes(e, rounds, 32, 2 * i + 1));
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

// Tiles as large as they can be, which a group of 32 does not fill.
constexpr int64_t kAmxSums = 4;
constexpr int64_t kAmxPeak = kAmxSums * 16 * 16 * 64 * 2;
void peakAmx(Emitter &e, KernelLibrary &library, Value rounds) {
  constexpr int64_t kTokens = 4, kCodes = 5;
  std::array<uint8_t, 64> bytes{1};
  for (int64_t tile = 0; tile <= kCodes; ++tile) {
    bytes[16 + 2 * tile] = 64;
    bytes[48 + tile] = 16;
  }
  loadTiles(e, library, "amx_peak_configuration", bytes);
  for (int64_t tile = 0; tile <= kCodes; ++tile)
    e.intrinsic("llvm.x86.tilezero", amxTile(e, tile));
  e.loop(e.c64(0), rounds, 1, [&](Value) {
    for (int64_t i = 0; i < kAmxSums; ++i)
      e.intrinsic("llvm.x86.tdpbssd",
                  {amxTile(e, i), amxTile(e, kTokens), amxTile(e, kCodes)});
  });
  e.intrinsic("llvm.x86.tilerelease", ValueRange());
}

// Linux keeps the tiles shut until a process asks for them.
bool systemOpensAmx() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

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
    return llvm::all_of(
               level.required,
               [&](const char *feature) { return features.lookup(feature); }) &&
           (!hasAmx() || systemOpensAmx());
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
  // Granite Rapids, one thread: 12.3 -> 17.0 GB/s for codes of four bits, 98 %
  // of its stream read; with 4096 bytes a quarter less. A Zen 4 reads as fast
  // without.
  int64_t prefetchDistance() const override { return hasAmx() ? 8192 : 0; }
  int64_t sumsInRegisters() const override {
    return level.machine.vectorBits == 512 ? 16 : 4;
  }
  SmallVector<Value> groupDot(Emitter &e, const GroupDot &dot) const override {
    if (level.machine.vectorBits == 512) return dotVnni(e, dot);
    return Avx2Dot(e, dot).run();
  }

  int64_t dotPeakOperations() const override {
    if (hasAmx()) return kAmxPeak;
    return level.machine.vectorBits == 512 ? kVnniPeak : kAvx2Peak;
  }
  void dotPeak(Emitter &e, KernelLibrary &library, Value rounds,
               Value sink) const override {
    if (hasAmx()) return peakAmx(e, library, rounds);
    if (level.machine.vectorBits == 512) return peakVnni(e, rounds, sink);
    peakAvx2(e, rounds, sink);
  }

  int64_t tokensPerEngine() const override { return hasAmx() ? kAmxTokens : 0; }
  void engineDot(Emitter &e, const EngineDot &dot) const override {
    dotAmx(e, dot);
  }
  void startEngine(Emitter &e, KernelLibrary &library) const override {
    startAmx(e, library);
  }
  void stopEngine(Emitter &e) const override {
    e.intrinsic("llvm.x86.tilerelease", ValueRange());
  }

 private:
  bool hasAmx() const { return level.features & GEMMA_CPU_AMX_INT8; }
  Level level;
};

constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

}  // namespace

const Target &x86AmxTarget() {
  static const X86 target(
      {"x86_64-amx",
       "AVX-512 F BW DQ VL, VNNI and AMX INT8 (Sapphire Rapids and later)",
       {kTriple, "x86-64-v4", "+avx512vnni,+amx-tile,+amx-int8", 512},
       GEMMA_CPU_AVX2_FMA_F16C_BMI | GEMMA_CPU_AVX512_CORE |
           GEMMA_CPU_AVX512_VNNI | GEMMA_CPU_AMX_INT8,
       8,
       {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "amx-tile",
        "amx-int8", "avx2", "fma", "f16c", "bmi2"}});
  return target;
}

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
