// SPDX-License-Identifier: Apache-2.0
// A row block of a weight, 16 rows in lanes, against rows of activations:
//   few rows      the packed stream is decoded into registers and used by up
//                 to M rows at once
//   more rows     a row block is unpacked once into a panel in the thread's
//                 scratch, then M rows at a time use it from the cache
//   a matrix engine, where there is one, takes its M rows at a time from a
//                 panel of signed codes
//   float weights fma an element, k increasing, M rows at a time
// All share docs/numerics.md's order, so that a row's bits do not depend on
// which of them computed it.
#ifndef GEMMAC_TARGETS_CPU_MATMULBLOCK_H
#define GEMMAC_TARGETS_CPU_MATMULBLOCK_H

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "dialects/quantized/WeightFormat.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// One weight's share of a tile operation.
struct Matmul {
  Matmul(kernel::MatmulTileOp op, mlir::Value weight)
      : Matmul(op, mlir::cast<quantized::TensorType>(weight.getType())) {}
  Matmul(kernel::MatmulTileOp op, quantized::TensorType type)
      : type(type),
        format(*quantized::lookupFormat(type.getFormat())),
        n(type.rows()),
        k(type.columns()),
        chunkRows(op.getChunkRows()),
        rowBlocks(op.getRowBlocks()),
        outBytes(n * 4) {
    inBytes =
        format.isFloat() ? k * 4 : quantized::ActivationLayout(k).rowBytes();
    blocks = (n + kLanes - 1) / kLanes;
    blockBytes = quantized::packedRowBlockBytes(format, k);
  }
  // From now on a block's 16 columns go to the scratch, all of them.
  void goToScratch() {
    toScratch = true;
    outBytes = kLanes * 4;
  }
  std::string shape() const {
    return format.name().str() + "_" + std::to_string(n) + "x" +
           std::to_string(k) + (toScratch ? "_scratch" : "");
  }
  // Of a kernel for M rows of this weight; `parts` say what else it is for.
  template <typename... Parts>
  KernelKey key(llvm::StringRef what, const Parts &...parts) const {
    return kernelKey(type.getContext(), what, type, toScratch, parts...);
  }
  // Whether chunks with enough rows go to the matrix engine.
  bool usesEngine(const CpuKernels &cpu) const {
    int64_t tokens = cpu.tokensPerEngine();
    return tokens && chunkRows >= tokens && !format.isFloat();
  }
  // Rows of the widest tile without an engine.
  int64_t tileRows(const CpuKernels &cpu) const {
    int64_t rows = cpu.tokensPerTile();
    while (rows > chunkRows) rows /= 2;
    return rows;
  }
  int64_t panelBytes(const CpuKernels &cpu) const;  // 0: needs none
  // Of an engine, for one group; those of two stand behind the panel.
  int64_t productBytes(const CpuKernels &cpu) const;
  quantized::TensorType type;
  const quantized::WeightFormat &format;
  int64_t n, k, chunkRows, rowBlocks, outBytes, inBytes, blocks, blockBytes;
  bool toScratch = false;
};

// A row block of one weight and the rows [from, to) that it meets. `in` and
// `out` are of row 0.
struct BlockCall {
  mlir::Value weights, in, out, from, to, block;
  mlir::Value count(Emitter &e) const { return e.sub(to, from); }
};

// Stores 16 results of weight rows 16·block …; the last block of an N that is
// no multiple of 16 stores what exists.
void storeBlock(Emitter &e, const Matmul &mm, mlir::Value vector,
                mlir::Value pointer, mlir::Value block);

// Writes the block's 16 columns of each of the call's rows. `scratch` has room
// for panelBytes() and, behind them, twice productBytes().
void emitBlock(Emitter &e, KernelLibrary &library, const Matmul &mm,
               const BlockCall &call, mlir::Value scratch);

}  // namespace gemmac::targets

#endif
