// SPDX-License-Identifier: Apache-2.0
// Kernels of attention's operations: a row's blocks of the KV cache, each of
// them (max, sum, acc[E]) for the query heads of a kv head, folded left in
// position order. Prefill does a row in one tile; for few rows each block is a
// tile of its own and the fold a later phase. Both make the same bits.
#ifndef GEMMAC_TARGETS_CPU_ATTENTIONKERNELS_H
#define GEMMAC_TARGETS_CPU_ATTENTIONKERNELS_H

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Operands: context, query, out, tile, layer.
void lowerAttentionTile(kernel::AttentionTileOp op, mlir::ValueRange operands,
                        mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: context, query, partials, tile, blocks, layer.
void lowerAttentionBlock(kernel::AttentionBlockOp op, mlir::ValueRange operands,
                         mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: context, partials, out, row.
void lowerAttentionFoldRow(kernel::AttentionFoldRowOp op,
                           mlir::ValueRange operands, mlir::OpBuilder &builder,
                           KernelLibrary &library);
// max over the call's rows of the blocks that a row sees (i64).
mlir::Value emitAttentionBlocks(Emitter &e, mlir::Value context,
                                int64_t window);

}  // namespace gemmac::targets

#endif
