// SPDX-License-Identifier: Apache-2.0
// Reads the packed layout (dialects/quantized/PackedLayout.h) in emitted code:
// one group of 32 columns of 16 rows as vectors of codes, scales and minimums.
#ifndef GEMMAC_TARGETS_CPU_PACKEDEMISSION_H
#define GEMMAC_TARGETS_CPU_PACKEDEMISSION_H

#include <functional>

#include "dialects/quantized/PackedLayout.h"
#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// A group of 32 columns whose vectors are made where they are asked for: made
// all at once they would not fit into 16 registers. Asking twice makes it
// twice.
struct PackedGroup {
  // Of eight vector<64xi8>, number j: byte lane·4 + i is column 4j + i.
  std::function<mlir::Value(int64_t)> codes;
  // vector<16xf32>: part 0 for 32 columns, or one part for each 16.
  std::function<mlir::Value(int64_t)> scale;
  std::function<mlir::Value()> minimum;  // vector<16xf32>; null without
};

// `superBlock` points to a packed super-block; `group` (i64) counts 32 columns
// in it; `parity` is group's lowest bit, known when emitting (the 6-bit
// sub-scales share bytes two by two). The emitter and the descriptor must
// outlive the result.
PackedGroup emitPackedGroup(Emitter &e,
                            const quantized::CodeDescriptor &descriptor,
                            mlir::Value superBlock, mlir::Value group,
                            int parity);

// Calls body(superBlock, group, parity, column) for every group of 32 of a row
// block, in order; `column` is the group's first column (i64). Carried values
// pass through. Where `prefetch` is not 0, what lies that many bytes ahead is
// asked for.
using GroupBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::Value superBlock, mlir::Value group, int parity, mlir::Value column,
    mlir::ValueRange carried)>;
llvm::SmallVector<mlir::Value> emitGroupLoop(
    Emitter &e, const quantized::CodeDescriptor &descriptor,
    mlir::Value rowBlock, int64_t columns, int64_t prefetch,
    mlir::ValueRange carried, GroupBody body);

}  // namespace gemmac::targets

#endif
