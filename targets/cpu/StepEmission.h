// SPDX-License-Identifier: Apache-2.0
// Reads a call's arguments in emitted code: ModelAbi.h's structs, and the
// context that compiled functions pass around as !kernel.step. The one list of
// their offsets; nothing of what is computed.
#ifndef GEMMAC_TARGETS_CPU_STEPEMISSION_H
#define GEMMAC_TARGETS_CPU_STEPEMISSION_H

#include <cstddef>

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// gemmac's own compiler laid these structs out; the machines that it builds for
// lay them out alike, as all of 64 bits do.
static_assert(sizeof(void *) == 8);

// What an entry point builds on its stack, and compiled functions pass around
// as !kernel.step.
struct StepContext {
  const gemma_step *step;
  uint8_t *scratch;  // of this thread
  int32_t thread;
};

// Offsets in bytes of what compiled code reads.
namespace abi {
inline constexpr int64_t kContextStep = offsetof(StepContext, step);
inline constexpr int64_t kContextScratch = offsetof(StepContext, scratch);
inline constexpr int64_t kContextThread = offsetof(StepContext, thread);
inline constexpr int64_t kContextBytes = sizeof(StepContext);

inline constexpr int64_t kRows = offsetof(gemma_step, rows);
inline constexpr int64_t kCount = offsetof(gemma_step, count);
inline constexpr int64_t kWanted = offsetof(gemma_step, wanted);
inline constexpr int64_t kWantedCount = offsetof(gemma_step, wanted_count);
inline constexpr int64_t kWeights = offsetof(gemma_step, weights);
inline constexpr int64_t kArena = offsetof(gemma_step, arena);
inline constexpr int64_t kScratch = offsetof(gemma_step, scratch);
inline constexpr int64_t kScratchStride = offsetof(gemma_step, scratch_stride);
inline constexpr int64_t kLogits = offsetof(gemma_step, logits);

inline constexpr int64_t kRowBytes = sizeof(gemma_row);
inline constexpr int64_t kRowToken = offsetof(gemma_row, token);
inline constexpr int64_t kRowPosition = offsetof(gemma_row, position);
inline constexpr int64_t kRowVisibleEnd = offsetof(gemma_row, visible_end);
inline constexpr int64_t kRowEmbedding = offsetof(gemma_row, embedding);
inline constexpr int64_t kRowKv = offsetof(gemma_row, kv);

inline constexpr int64_t kKvLayerBytes = sizeof(gemma_kv_layer);
inline constexpr int64_t kKvFirstSlot = offsetof(gemma_kv_layer, first_slot);
inline constexpr int64_t kKvRingBlocks = offsetof(gemma_kv_layer, ring_blocks);
}  // namespace abi

// The gemma_step's field at that offset.
mlir::Value stepField(Emitter &e, mlir::Value context, mlir::Type type,
                      int64_t offset);
// Pointer to the gemma_row of row `row` (i64).
mlir::Value rowPointer(Emitter &e, mlir::Value context, mlir::Value row);
// The thread's scratch.
mlir::Value scratchPointer(Emitter &e, mlir::Value context);

}  // namespace gemmac::targets

#endif
