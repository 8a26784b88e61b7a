// SPDX-License-Identifier: Apache-2.0
// The KV cache in emitted code: which positions a row sees, and where a block
// of 128 of them stands. A block holds, per kv head, keys 16 in lanes
// ([128 / 16][E][16]) and values row by row ([128][E]): ModelAbi.h. Computes
// nothing with them: that is AttentionBlock.h and KvKernels.h.
#ifndef GEMMAC_TARGETS_CPU_KVEMISSION_H
#define GEMMAC_TARGETS_CPU_KVEMISSION_H

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

inline constexpr int64_t kKvBlock = GEMMA_KV_BLOCK;
inline constexpr llvm::StringLiteral kKvLayersSymbol = "gemma_kv_layers";

// First and one past the last position that a row sees.
struct Span {
  mlir::Value begin, end;
  mlir::Value firstBlock(Emitter &e) const;
  mlir::Value endBlock(Emitter &e) const;
};
// Of the gemma_row at `row`; a window of 0 has no beginning.
Span emitVisible(Emitter &e, mlir::Value row, int64_t window);

// Pointer to the cache block of block number `block` in `layer`, for the
// session of the gemma_row at `row`.
mlir::Value emitBlockPointer(Emitter &e, mlir::Value row, mlir::Value layer,
                             mlir::Value block);

}  // namespace gemmac::targets

#endif
