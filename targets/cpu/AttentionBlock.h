// SPDX-License-Identifier: Apache-2.0
// Attention of one row to one block of the KV cache, for the G query heads that
// share a kv head: (max, sum, acc[E]) a head; and the left fold of two such
// states. Keys stand 16 in lanes, so a score is one fma chain over e, and the
// softmax needs no cross-lane step but its max and its sum (docs/numerics.md,
// point 5). Which blocks, and in what order: AttentionKernels.cpp.
#ifndef GEMMAC_TARGETS_CPU_ATTENTIONBLOCK_H
#define GEMMAC_TARGETS_CPU_ATTENTIONBLOCK_H

#include <string>

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"
#include "targets/cpu/KvEmission.h"

namespace gemmac::targets {

// Bytes of a head's state: max, sum, 14 unused, acc[E].
inline int64_t attentionStateBytes(int64_t width) {
  return (width + kernel::kAttentionStateFloats) * 4;
}

// What an attention operation's kernels depend on. H query heads share K kv
// heads, all of E columns.
struct Attention {
  template <typename Op>
  explicit Attention(Op op)
      : width(op.getHeadDim()),
        heads(mlir::cast<mlir::MemRefType>(op.getQuery().getType())
                  .getDimSize(1) /
              width),
        kvHeads(op.getKvHeads()),
        group(heads / kvHeads),
        window(op.getWindow()),
        scale(op.getScale().convertToFloat()),
        softcap(op.getSoftcap().convertToFloat()),
        format(op.getKvFormat()) {}
  int64_t elementBytes() const { return kernel::elementBytes(format); }
  int64_t stateBytes() const { return attentionStateBytes(width); }
  int64_t headBytes() const { return kKvBlock * width * elementBytes(); }
  std::string name() const;
  // Of a kernel that depends on all of it.
  KernelKey key(mlir::MLIRContext *context, llvm::StringRef what) const {
    return kernelKey(context, what, width, heads, kvHeads, window, scale,
                     softcap, format);
  }

  int64_t width, heads, kvHeads, group, window;
  float scale, softcap;
  kernel::KvFormat format;
};

// Bytes of scratch that a block's scores need: 4 heads at once.
inline constexpr int64_t kScoreBytes = 4 * kKvBlock * 4;

// The states of neighbouring heads, `stride` (i64) bytes apart.
struct HeadStates {
  mlir::Value first, stride;
  mlir::Value of(Emitter &e, int64_t head) const;
};

// A row and the kv head whose blocks it goes through.
struct AttentionRow {
  mlir::Value row;     // gemma_row
  mlir::Value layer;   // of the cache
  Span span;           // what the row sees
  mlir::Value query;   // of the group's first head
  mlir::Value kvHead;  // i64
  mlir::Value scores;  // scratch of kScoreBytes
};

// The function that callBlock calls.
mlir::func::FuncOp blockKernel(KernelLibrary &library, const Attention &a,
                               mlir::Location loc);
// The states of the group's heads := those of the row's cache block number
// `block`.
void callBlock(Emitter &e, const Attention &a, mlir::func::FuncOp kernel,
               const AttentionRow &at, mlir::Value block,
               const HeadStates &states);

// A function (state, partial): state := state folded with partial.
mlir::func::FuncOp foldKernel(KernelLibrary &library, int64_t width,
                              mlir::Location loc);
// out[E] = acc / sum.
void emitDivide(Emitter &e, int64_t width, mlir::Value state, mlir::Value out);

}  // namespace gemmac::targets

#endif
