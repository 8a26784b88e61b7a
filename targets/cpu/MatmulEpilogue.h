// SPDX-License-Identifier: Apache-2.0
// What follows the products of a matmul's blocks while they are in the cache:
// the number is finished (GeGLU of a gated pair, a softcap) and goes to its
// destination (the output as f32, the output as codes, the arg-max of the
// tile's columns, which writes no block). A plain matmul has none of it: its
// blocks are stored by the kernels that make them.
#ifndef GEMMAC_TARGETS_CPU_MATMULEPILOGUE_H
#define GEMMAC_TARGETS_CPU_MATMULEPILOGUE_H

#include <memory>
#include <string>

#include "targets/cpu/MatmulBlock.h"

namespace gemmac::targets {

// What an operation asks for.
struct Epilogue {
  explicit Epilogue(kernel::MatmulTileOp op);
  // Whether products go to the scratch, to be finished there.
  bool any() const { return gated || softcap != 0 || argMax; }
  // For the name of a kernel that has it.
  std::string name() const;
  // The finished number of a block's products, one or a gated pair.
  mlir::Value finish(Emitter &e, llvm::ArrayRef<mlir::Value> products) const;

  bool gated, argMax, codes;
  float softcap = 0;
};

// A tile while it is emitted.
struct TileFrame {
  mlir::Value out;        // of row 0
  mlir::Value from;       // the chunk's first row
  mlir::Value end;        // and one past its last
  mlir::Value number;     // of the tile in its chunk
  int64_t tiles;          // of a chunk
  mlir::Value scratch;    // of the thread
  int64_t scratchOffset;  // where what Destination::scratchBytes asked for is
  mlir::Value kept(Emitter &e) const { return e.at(scratch, scratchOffset); }
};

// One of its blocks.
struct TileBlock {
  mlir::Value number;  // its columns are 16·number …
  mlir::Value out;     // of row 0, where its columns begin
};

// Calls use(row, finished numbers) for each row of the chunk.
using UseRow = llvm::function_ref<void(mlir::Value row, mlir::Value finished)>;
using ForEachRow = llvm::function_ref<void(UseRow use)>;

// Where a tile's finished numbers go, 16 columns of all its rows at a time.
class Destination {
 public:
  Destination(Emitter &e, const Matmul &mm, const TileFrame &frame)
      : e(e), mm(mm), frame(frame) {}
  virtual ~Destination() = default;
  // Before the tile's first block and behind its last.
  virtual void begin() {}
  virtual void end() {}
  // The block's columns of every row.
  virtual void take(const TileBlock &block, ForEachRow rows) = 0;

  // Bytes of scratch that the epilogue's destination needs for a chunk.
  static int64_t scratchBytes(const Epilogue &epilogue, int64_t chunkRows);
  // mm: the whole matmul, as its operation writes it.
  static std::unique_ptr<Destination> create(Emitter &e,
                                             const Epilogue &epilogue,
                                             const Matmul &mm,
                                             const TileFrame &frame);

 protected:
  Emitter &e;
  const Matmul &mm;
  TileFrame frame;
};

}  // namespace gemmac::targets

#endif
