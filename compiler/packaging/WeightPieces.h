// SPDX-License-Identifier: Apache-2.0
// A piece of a tensor: the few row blocks that a thread reads, packs and writes
// at once. Checkpoint bytes -> packed bytes, in memory; no file is touched.
#ifndef GEMMAC_COMPILER_PACKAGING_WEIGHTPIECES_H
#define GEMMAC_COMPILER_PACKAGING_WEIGHTPIECES_H

#include <cstdint>
#include <vector>

#include "compiler/packaging/WeightStream.h"

namespace gemmac::packaging {

struct WeightPiece {
  size_t job;            // index into WeightPlan::jobs
  int64_t rows;          // rows of the checkpoint, 16 a block but at the end
  uint64_t sourceStart;  // bytes into the tensor
  uint64_t sourceBytes;
  uint64_t packedStart;  // bytes into the packed tensor
  uint64_t packedBytes;
  bool isLast;  // of its tensor
};

// A thread's memory, kept from piece to piece.
struct PieceBuffers {
  std::vector<uint8_t> source;
  std::vector<uint8_t> converted;
  std::vector<float> values;
  std::vector<uint8_t> packed;
};

// All pieces of all tensors in the order of their place.
std::vector<WeightPiece> cutPieces(const WeightPlan &plan);

// buffers.source -> buffers.packed. Fails, naming the tensor, where the format
// cannot be made from values, or where a stored scale is not finite.
llvm::Error packPiece(const WeightJob &job, const WeightPiece &piece,
                      PieceBuffers &buffers);

}  // namespace gemmac::packaging

#endif
