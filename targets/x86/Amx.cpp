// SPDX-License-Identifier: Apache-2.0
// See Amx.h. AMX multiplies tiles that are loaded from memory and stored there:
// the matrix engine of CpuKernels.h. Source: Intel SDM vol. 1 chapter 18, vol.
// 2 (LDTILECFG, TDPBSSD); Linux Documentation/arch/x86/xstate.rst (the
// permission).
#include "targets/x86/Amx.h"

#include <array>
#include <cassert>

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/KernelLibrary.h"
#include "targets/x86/Avx512.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// AMX's tiles, numbered by hand: LLVM need not allocate any. A tile of tokens
// has 16 rows of 32 or 16 columns, one of codes 8 or 4 rows of 16 outputs × 4
// columns, and their product 16 tokens × 16 outputs of i32.
constexpr int64_t kTokens = 16;
enum Tile { kProducts, kTokens32, kCodes32, kTokens16, kCodes16, kTiles };

// The operand of ldtilecfg: palette 1, then 16-bit bytes a row from 16 on and
// 8-bit rows from 48 on.
std::array<uint8_t, 64> tileConfiguration() {
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

Value tileNumber(Emitter &e, int64_t number) {
  return arith::ConstantOp::create(e.b, e.loc,
                                   e.b.getIntegerAttr(e.i8(), number));
}

// Between tilezero and the product stand both loads: without them the product
// would wait for the zeros.
void emitDot(Emitter &e, const EngineDot &dot) {
  assert((dot.columns == 16 || dot.columns == 32) && "a tile of columns");
  bool half = dot.columns == 16;
  Value products = tileNumber(e, kProducts);
  Value tokens = tileNumber(e, half ? kTokens16 : kTokens32);
  Value codes = tileNumber(e, half ? kCodes16 : kCodes32);
  e.intrinsic("llvm.x86.tilezero", products);
  e.intrinsic("llvm.x86.tileloadd64",
              {tokens, dot.tokens, e.c64(dot.tokenBytes)});
  e.intrinsic("llvm.x86.tileloadd64", {codes, dot.codes, e.c64(64)});
  e.intrinsic("llvm.x86.tdpbssd", {products, tokens, codes});
  e.intrinsic("llvm.x86.tilestored64", {products, dot.products, e.c64(64)});
}

// Tiles as large as they can be, which a group of 32 does not fill.
constexpr int64_t kPeakSums = 4;

void emitPeak(Emitter &e, KernelLibrary &library, Value rounds) {
  constexpr int64_t kTokenTile = 4, kCodeTile = 5;
  std::array<uint8_t, 64> bytes{1};
  for (int64_t tile = 0; tile <= kCodeTile; ++tile) {
    bytes[16 + 2 * tile] = 64;
    bytes[48 + tile] = 16;
  }
  loadTiles(e, library, "amx_peak_configuration", bytes);
  for (int64_t tile = 0; tile <= kCodeTile; ++tile)
    e.intrinsic("llvm.x86.tilezero", tileNumber(e, tile));
  e.loop(e.c64(0), rounds, 1, [&](Value) {
    for (int64_t i = 0; i < kPeakSums; ++i)
      e.intrinsic("llvm.x86.tdpbssd",
                  {tileNumber(e, i), tileNumber(e, kTokenTile),
                   tileNumber(e, kCodeTile)});
  });
  e.intrinsic("llvm.x86.tilerelease", ValueRange());
}

// Linux keeps the tiles shut until a process asks for them, which this does:
// for the whole process. The executables' own check does the same before libc
// has started, without a libc call: systemOpensAmx in
// runtime/model/CpuFeatures.cpp. A change here belongs there too.
bool systemOpensAmx() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

class Amx : public Avx512 {
 public:
  using Avx512::Avx512;
  bool runsHere() const override {
    return Avx512::runsHere() && systemOpensAmx();
  }
  // Granite Rapids, one thread: 12.3 -> 17.0 GB/s for codes of four bits, 98 %
  // of its stream read; with 4096 bytes a quarter less. A Zen 4 reads as fast
  // without.
  int64_t prefetchDistance() const override { return 8192; }

  int64_t dotPeakOperations() const override {
    return kPeakSums * 16 * 16 * 64 * 2;
  }
  void dotPeak(Emitter &e, KernelLibrary &library, Value rounds,
               Value) const override {
    emitPeak(e, library, rounds);
  }

  int64_t tokensPerEngine() const override { return kTokens; }
  void engineDot(Emitter &e, const EngineDot &dot) const override {
    emitDot(e, dot);
  }
  void startEngine(Emitter &e, KernelLibrary &library) const override {
    loadTiles(e, library, "amx_configuration", tileConfiguration());
  }
  void stopEngine(Emitter &e) const override {
    e.intrinsic("llvm.x86.tilerelease", ValueRange());
  }
};

}  // namespace

const Target &amxTarget() {
  static const Amx target(
      {"x86_64-amx",
       "AVX-512 F BW DQ VL, VNNI and AMX INT8 (Sapphire Rapids and later)",
       {x86_64(), "x86-64-v4", "+avx512vnni,+amx-tile,+amx-int8", 512},
       GEMMA_CPU_AVX2_FMA_F16C_BMI | GEMMA_CPU_AVX512_CORE |
           GEMMA_CPU_AVX512_VNNI | GEMMA_CPU_AMX_INT8,
       {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "amx-tile",
        "amx-int8", "avx2", "fma", "f16c", "bmi2"}});
  return target;
}

}  // namespace gemmac::targets
