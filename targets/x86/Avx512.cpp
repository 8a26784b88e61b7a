// SPDX-License-Identifier: Apache-2.0
// See Avx512.h.
#include "targets/x86/Avx512.h"

#include "runtime/include/gemma/ModelAbi.h"

using namespace mlir;

namespace gemmac::targets {

// vpdpbusd: u8 codes × s8 activations, four columns a lane, exact in i32. The
// zero point starts the accumulator at −z·Σx and costs nothing.
SmallVector<Value> Avx512::groupDot(Emitter &e, const GroupDot &dot) const {
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

// Of dotPeak: enough of them to hide what a product takes.
static constexpr int64_t kPeakSums = 16;

int64_t Avx512::dotPeakOperations() const { return kPeakSums * 64 * 2; }

void Avx512::dotPeak(Emitter &e, KernelLibrary &, Value rounds,
                     Value sink) const {
  Value codes = emitUnknownBytes(e, rounds, 64, 1);
  Value tokens = emitUnknownBytes(e, rounds, 64, 2);
  SmallVector<Value> start;
  for (int64_t i = 0; i < kPeakSums; ++i) start.push_back(e.splatI(e.i32(), i));
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

const Target &avx512Target() {
  static const Avx512 target(
      {"x86_64-avx512",
       "AVX-512 F BW DQ VL and VNNI (Ice Lake, Zen 4 and later)",
       {x86_64(), "x86-64-v4", "+avx512vnni", 512},
       GEMMA_CPU_AVX2_FMA_F16C_BMI | GEMMA_CPU_AVX512_CORE |
           GEMMA_CPU_AVX512_VNNI,
       {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx2",
        "fma", "f16c", "bmi2"}});
  return target;
}

}  // namespace gemmac::targets
