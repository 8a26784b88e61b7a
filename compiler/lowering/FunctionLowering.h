// SPDX-License-Identifier: Apache-2.0
// One function on tensors -> one function on buffers: what LowerToKernel makes
// for each entry point. A value is a buffer, an op is a phase. The op families
// stand in LowerRows.cpp, LowerMatmul.cpp and LowerAttention.cpp, the checks of
// what comes in in FunctionChecks.cpp.
#ifndef GEMMAC_COMPILER_LOWERING_FUNCTIONLOWERING_H
#define GEMMAC_COMPILER_LOWERING_FUNCTIONLOWERING_H

#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace gemmac::lowering {

// How a matmul is cut into tiles of row blocks (16 weight rows each).
struct TileShape {
  int64_t leastTiles;     // where there are as many blocks
  int64_t mostRowBlocks;  // of a tile
};

// What distinguishes the entry points.
struct Entry {
  std::string name;       // decode, batch, prefill, head
  int64_t maxRows;        // of one call
  int64_t chunkRows;      // of a matmul tile
  bool attentionByBlock;  // share a row's blocks among the threads
  TileShape tiles;
};

class FunctionLowering {
 public:
  FunctionLowering(mlir::OpBuilder &builder, const Entry &entry,
                   mlir::Value step, mlir::Value rows)
      : b(builder), entry(entry), step(step), rows(rows) {}

  mlir::OpBuilder &b;
  const Entry &entry;
  mlir::Value step;
  mlir::Value rows;  // T as index
  // In a layer function:
  mlir::Value cache;      // the index of its keys and values
  kernel::KvPlanAttr kv;  // that it indexes

  // The buffer (or reference, or index) that stands for a value.
  mlir::Value lookup(mlir::Value value) { return values.lookup(value); }
  void map(mlir::Value value, mlir::Value to) { values[value] = to; }
  // The buffer of an op's result: what map() gave, else a new one.
  mlir::Value result(mlir::Value value);

  // A phase of `count` tiles whose body gets the tile's index.
  using Body = llvm::function_ref<void(mlir::OpBuilder &, mlir::Value)>;
  void phase(mlir::Location loc, mlir::Value count, Body body);
  // The same with a segment for each count; the body gets its number too.
  using SegmentBody =
      llvm::function_ref<void(mlir::OpBuilder &, size_t, mlir::Value)>;
  void phase(mlir::Location loc, mlir::ValueRange counts, SegmentBody body);

  mlir::LogicalResult lower(mlir::Operation *op);

 private:
  bool lowerRows(mlir::Operation *op);
  bool lowerElements(mlir::Operation *op);
  bool lowerMatmul(mlir::Operation *op);
  // What gemma.linear and quantized.matmul have in common.
  struct Products {
    mlir::Value input;                       // buffer
    llvm::SmallVector<mlir::Value> weights;  // references
    mlir::ValueRange results;                // tensors
    quantized::EpilogueAttr epilogue;        // may be null
  };
  void matmul(mlir::Location loc, const Products &products);
  mlir::Value candidates(quantized::TensorType weight);
  int64_t rowBlocks(int64_t weightRows, bool gated = false) const;
  void lowerAttention(gemma::AttentionOp op);
  mlir::Value lowerRotation(gemma::AttentionOp op, mlir::Value query);
  void lowerBlocks(gemma::AttentionOp op, mlir::Value query, mlir::Value out,
                   int64_t kvHeads, mlir::Value pairs);
  void lowerCall(kernel::CallLayerOp op);

  llvm::DenseMap<mlir::Value, mlir::Value> values;
};

// tensor<?xNxf32> -> memref<?xNxf32>; activations -> their bytes.
mlir::MemRefType bufferType(mlir::Type type);

// Tokens and positions: no buffers, a step has them.
bool isIds(mlir::Type type);

// What the lowering takes for granted, checked in front of it: of @forward
// around its gemma.wanted_rows, for a model of these sizes and this cache, and
// of a layer's function (inputs, index and cache in, one value out).
mlir::LogicalResult checkForward(mlir::func::FuncOp forward,
                                 gemma::WantedRowsOp wanted,
                                 gemma::SizesAttr sizes,
                                 kernel::KvPlanAttr plan);
mlir::LogicalResult checkLayer(mlir::func::FuncOp function);

}  // namespace gemmac::lowering

#endif
