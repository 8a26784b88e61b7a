// SPDX-License-Identifier: Apache-2.0
// The kernel of a matmul tile: out[rows, N] = in[rows, K] · Wᵀ, a block of 16
// weight rows after the other (MatmulBlock.h), and what follows the products
// (MatmulEpilogue.h).
#ifndef GEMMAC_TARGETS_CPU_MATMULKERNELS_H
#define GEMMAC_TARGETS_CPU_MATMULKERNELS_H

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Operands: context, weight, in, out, tile, rows, [up].
void lowerMatmulTile(kernel::MatmulTileOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);
// Whether its kernel gives chunks with enough rows to the matrix engine.
bool usesEngine(kernel::MatmulTileOp op, const CpuKernels &cpu);

}  // namespace gemmac::targets

#endif
