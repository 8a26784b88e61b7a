// SPDX-License-Identifier: Apache-2.0
// Reads a call's arguments in emitted code: ModelAbi.h's structs, and the
// context that compiled functions pass around as !kernel.step. Knows their
// layout and nothing of what is computed.
#ifndef GEMMAC_TARGETS_CPU_STEPEMISSION_H
#define GEMMAC_TARGETS_CPU_STEPEMISSION_H

#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// Offsets in the context that compiled functions pass around as !kernel.step.
inline constexpr int64_t kContextStep = 0;
inline constexpr int64_t kContextScratch = 8;
inline constexpr int64_t kContextThread = 16;
inline constexpr int64_t kContextBytes = 24;

// Fields of ModelAbi.h's structs, read by compiled code.
mlir::Value stepField(Emitter &e, mlir::Value context, mlir::Type type,
                      int64_t offset);
// Pointer to the gemma_row of row `row` (i64).
mlir::Value rowPointer(Emitter &e, mlir::Value context, mlir::Value row);
mlir::Value scratchPointer(Emitter &e, mlir::Value context);
namespace abi {
inline constexpr int64_t kRows = 0, kCount = 8, kWanted = 16, kWantedCount = 24,
                         kWeights = 32, kArena = 40, kScratch = 48,
                         kScratchStride = 56, kLogits = 64, kRowBytes = 32,
                         kRowToken = 0, kRowPosition = 4, kRowVisibleEnd = 8,
                         kRowEmbedding = 16, kRowKv = 24, kKvLayerBytes = 24;
}

}  // namespace gemmac::targets

#endif
