// SPDX-License-Identifier: Apache-2.0
// What the author of a CPU target implements: the exact dot product of 8-bit
// codes on the target's own instructions, and the few numbers that say how many
// registers and what caches it has. All else of a kernel is the same on every
// CPU. Every function has an answer that is right on any machine. Does not
// know which machine (Target.h) nor an operation of the kernel dialect.
#ifndef GEMMAC_TARGETS_CPU_CPUKERNELS_H
#define GEMMAC_TARGETS_CPU_CPUKERNELS_H

#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// One group's products for M tokens: result[m] = Σ (q − zeroPoint) · x over
// 4 · steps columns, lanes are weight rows. Exact in i32.
struct GroupDot {
  // Makes vector<64xi8> number j; its byte lane·4 + i belongs to column 4j + i.
  // Asked for once each, in order: what is made when it is used needs no stack.
  llvm::function_ref<mlir::Value(int64_t)> codes;
  int64_t steps;  // how many there are
  // M pointers to the group's first activation code (s8).
  llvm::ArrayRef<mlir::Value> tokens;
  // M scalars (i32): Σ x of the group.
  llvm::ArrayRef<mlir::Value> sums;
  unsigned codeBits;  // 4, 5, 6 or 8
  int zeroPoint;

  // Whether the parts fit each other: asserted before a target sees it.
  bool isWhole() const {
    return tokens.size() == sums.size() && !tokens.empty() &&
           (steps == 4 || steps == 8) && codeBits >= 4 && codeBits <= 8;
  }
};

// The same of a matrix engine, from memory to memory:
// products[m][lane] = Σ code · x over `columns` (16 or 32), exact in i32.
struct EngineDot {
  mlir::Value codes;     // s8 [columns / 4][16][4], the zero point subtracted
  mlir::Value tokens;    // s8, M rows
  int64_t tokenBytes;    // from one row to the next
  mlir::Value products;  // i32 [M][16], aligned to 64
  int64_t columns;
};

class KernelLibrary;

// What one instruction set does better than plain vectors.
class CpuKernels {
 public:
  virtual ~CpuKernels() = default;
  // M of the widest matmul tile, a power of two.
  virtual int64_t tokensPerTile() const { return 4; }
  // Vectors of 16 sums that a loop carries in registers, with room for as much
  // again: 16 registers of 256 bits hold 4 so.
  virtual int64_t sumsInRegisters() const { return 4; }
  // Bytes ahead of which a stream of weights is prefetched; 0: the processor
  // does it well enough.
  virtual int64_t prefetchDistance() const { return 0; }
  // Plain widening multiplies: right everywhere.
  virtual llvm::SmallVector<mlir::Value> groupDot(Emitter &e,
                                                  const GroupDot &dot) const;

  // Operations of a round of dotPeak, a multiply-add being two; 0: the target
  // shows no peak, and dotPeak is not called.
  virtual int64_t dotPeakOperations() const { return 0; }
  // Emits `rounds` rounds of the fastest exact 8-bit products on registers, and
  // what keeps them alive, 64 bytes at `sink`. Products wait for nothing but
  // their own sum, and there are enough of them to hide that.
  virtual void dotPeak(Emitter &, KernelLibrary &, mlir::Value rounds,
                       mlir::Value sink) const {}

  // M of a matrix engine, which takes over from so many rows of codes on; 0
  // where there is none, and nothing below is called.
  virtual int64_t tokensPerEngine() const { return 0; }
  virtual void engineDot(Emitter &, const EngineDot &) const {}
  // Around a phase, on each of its threads.
  virtual void startEngine(Emitter &, KernelLibrary &) const {}
  virtual void stopEngine(Emitter &) const {}
};

// For dotPeak: `bytes` bytes that no compiler knows, made of `rounds`; others
// for each `offset`.
mlir::Value emitUnknownBytes(Emitter &e, mlir::Value rounds, int64_t bytes,
                             int64_t offset);

}  // namespace gemmac::targets

#endif
