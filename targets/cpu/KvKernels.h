// SPDX-License-Identifier: Apache-2.0
// The kernel that writes a row's keys and values into its session's cache.
#ifndef GEMMAC_TARGETS_CPU_KVKERNELS_H
#define GEMMAC_TARGETS_CPU_KVKERNELS_H

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Operands: context, key, value, row, layer, [angles], [gain].
void lowerKvStoreRow(kernel::KvStoreRowOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);

}  // namespace gemmac::targets

#endif
