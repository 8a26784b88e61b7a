// SPDX-License-Identifier: Apache-2.0
// x86_64-avx512: AVX-512 F BW DQ VL and VNNI (Ice Lake, Zen 4 and later). The
// class is here for AMX, which comes on top of it.
#ifndef GEMMAC_TARGETS_X86_AVX512_H
#define GEMMAC_TARGETS_X86_AVX512_H

#include "targets/cpu/CpuTarget.h"

namespace gemmac::targets {

class Avx512 : public CpuTarget {
 public:
  using CpuTarget::CpuTarget;
  int64_t tokensPerTile() const override { return 8; }
  int64_t sumsInRegisters() const override { return 16; }
  llvm::SmallVector<mlir::Value> groupDot(Emitter &e,
                                          const GroupDot &dot) const override;
  int64_t dotPeakOperations() const override;
  void dotPeak(Emitter &e, KernelLibrary &library, mlir::Value rounds,
               mlir::Value sink) const override;
};

const Target &avx512Target();

}  // namespace gemmac::targets

#endif
