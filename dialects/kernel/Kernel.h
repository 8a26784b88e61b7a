// SPDX-License-Identifier: Apache-2.0
// The kernel dialect's C++ face: dialect, the step type, op classes, and what
// passes and targets ask of a module.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNEL_H
#define GEMMAC_DIALECTS_KERNEL_KERNEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/quantized/ActivationLayout.h"
#include "dialects/quantized/Cost.h"
#include "dialects/quantized/Quantized.h"

#include "dialects/kernel/KernelDialect.h.inc"

#include "dialects/kernel/KernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.h.inc"

namespace gemmac::kernel {

// The KV cache as a resource of memory effects: no buffer stands for it.
struct KvCache : mlir::SideEffects::Resource::Base<KvCache> {
  llvm::StringRef getName() final { return "KvCache"; }
};

}  // namespace gemmac::kernel

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.h.inc"

namespace gemmac::kernel {

// Attributes that the dialect gives to functions.
inline constexpr llvm::StringLiteral kMaxRows = "kernel.max_rows";

inline int64_t elementBytes(KvFormat format) {
  return format == KvFormat::F32 ? 4 : 2;
}

// Tiles of one chunk of rows of a matmul: blocks of 16 weight rows, row_blocks
// of them a tile.
inline int64_t matmulTiles(int64_t weightRows, int64_t rowBlocks) {
  int64_t blocks = (weightRows + 15) / 16;
  return (blocks + rowBlocks - 1) / rowBlocks;
}
// Floats in front of acc[E] of an attention block: max, sum, 14 unused.
inline constexpr int64_t kAttentionStateFloats = 16;
// Query heads that share a kv head: kernels are unrolled over them. Gemma has
// 16 at most.
inline constexpr int64_t kMostSharing = 256;
// Columns of angles: half as many frequencies are constants of the code. Gemma
// has 512 at most.
inline constexpr int64_t kMostAngles = 1 << 16;

// The module's kernel.model; null, and an error of the module, when there is
// none.
ModelOp findModel(mlir::ModuleOp module);

// The entry points in ModelAbi.h's order: {name there, function}; the function
// is "" where the model has none.
llvm::SmallVector<std::pair<llvm::StringRef, llvm::StringRef>> entryPoints(
    ModelOp model);

// The function that a layer runs; null where there is none with a body.
mlir::func::FuncOp lookupLayer(CallLayerOp call);

// Visits the ops of the function `entry` in order, in place of a
// kernel.call_layer those of its function, with the layer's index within its
// kind; outside layers, and where that is no constant, the index is 0. Nothing
// happens where there is no such function.
void walkWithLayers(mlir::ModuleOp module, llvm::StringRef entry,
                    llvm::function_ref<void(mlir::Operation *, int64_t)> visit);

}  // namespace gemmac::kernel

#endif
