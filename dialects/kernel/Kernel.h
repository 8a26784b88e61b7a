// SPDX-License-Identifier: Apache-2.0
// The kernel dialect's C++ face: dialect, the step type, op classes, and the
// byte layout of a row of quantized activations.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNEL_H
#define GEMMAC_DIALECTS_KERNEL_KERNEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/quantized/Quantized.h"

#include "dialects/kernel/KernelDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.h.inc"

namespace gemmac::kernel {

// Offsets in a row of quantized activations of K columns; see quantize_row.
inline int64_t activationScales(int64_t columns) { return columns; }
inline int64_t activationSums32(int64_t columns) {
  return columns + columns / 32 * 4;
}
inline int64_t activationSums16(int64_t columns) {
  return columns + columns / 32 * 8;
}
// Tiles of one chunk of rows of a matmul: blocks of 16 weight rows, row_blocks
// of them a tile.
inline int64_t matmulTiles(int64_t weightRows, int64_t rowBlocks) {
  int64_t blocks = (weightRows + 15) / 16;
  return (blocks + rowBlocks - 1) / rowBlocks;
}
// Floats in front of acc[E] of an attention block: max, sum, 14 unused.
inline constexpr int64_t kAttentionStateFloats = 16;

inline int64_t activationRowBytes(int64_t columns) {
  return (columns + columns / 32 * 16 + 63) / 64 * 64;
}

// The module's kernel.model; null, and an error of the module, when there is
// none.
ModelOp findModel(mlir::ModuleOp module);

// The entry points in ModelAbi.h's order: {name there, function}; the function
// is "" where the model has none.
llvm::SmallVector<std::pair<llvm::StringRef, llvm::StringRef>> entryPoints(
    ModelOp model);

}  // namespace gemmac::kernel

#endif
