// SPDX-License-Identifier: Apache-2.0
// The kernel that begins a step: a token's row of the packed embedding, or the
// row's own embedding where the call brings one.
#ifndef GEMMAC_TARGETS_CPU_EMBEDKERNEL_H
#define GEMMAC_TARGETS_CPU_EMBEDKERNEL_H

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Operands: context, weight, out, row.
void lowerEmbedRow(kernel::EmbedRowOp op, mlir::ValueRange operands,
                   mlir::OpBuilder &builder, KernelLibrary &library);

}  // namespace gemmac::targets

#endif
