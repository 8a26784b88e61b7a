// SPDX-License-Identifier: Apache-2.0
// How a group's products enter the accumulators of M rows of activations:
// fma(float(Σ (q − z)·x), d·a, acc), then the minimum's part, in the order of
// docs/numerics.md, point 2. The products are the target's (CpuKernels); all
// floats are here, so that every path makes the same bits.
#ifndef GEMMAC_TARGETS_CPU_GROUPSUM_H
#define GEMMAC_TARGETS_CPU_GROUPSUM_H

#include "targets/cpu/CpuKernels.h"
#include "targets/cpu/PackedEmission.h"

namespace gemmac::targets {

// The emitter, the kernels and the descriptor must outlive it.
class GroupSum {
 public:
  // Rows of `columns` codes (dialects/kernel/Kernel.h has their layout).
  GroupSum(Emitter &e, const CpuKernels &cpu,
           const quantized::CodeDescriptor &descriptor, int64_t columns);

  const int64_t parts;  // of a group of 32, each with its scale

  // `rows` point to rows of activations, `column` (i64) is the group's first.
  llvm::SmallVector<mlir::Value> accumulate(mlir::ValueRange accumulators,
                                            llvm::ArrayRef<mlir::Value> rows,
                                            mlir::Value column,
                                            const PackedGroup &group);
  // The same with products that an engine has stored: [parts][M][16]. Row by
  // row, because M accumulators leave room for few scales.
  llvm::SmallVector<mlir::Value> accumulateStored(
      mlir::ValueRange accumulators, llvm::ArrayRef<mlir::Value> rows,
      mlir::Value column, const PackedGroup &group, mlir::Value products);

 private:
  mlir::Value withProduct(mlir::Value acc, mlir::Value product,
                          mlir::Value weightScale, mlir::Value scale);
  mlir::Value withMinimum(mlir::Value acc, mlir::Value sum32,
                          mlir::Value minimum, mlir::Value scale);
  mlir::Value field(mlir::Value row, int64_t offset, mlir::Value index);
  mlir::Value scale(mlir::Value row, mlir::Value index);
  mlir::Value sum32(mlir::Value row, mlir::Value index);
  llvm::SmallVector<mlir::Value> sums16(llvm::ArrayRef<mlir::Value> rows,
                                        mlir::Value index, int64_t part);
  Emitter &e;
  const CpuKernels &cpu;
  const quantized::CodeDescriptor &d;
  int64_t columns;
};

}  // namespace gemmac::targets

#endif
