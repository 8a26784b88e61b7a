// SPDX-License-Identifier: Apache-2.0
// Cutting and packing of pieces. See WeightPieces.h.
#include "compiler/packaging/WeightPieces.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "dialects/quantized/PackedLayout.h"

using namespace llvm;
using namespace gemmac::quantized;

namespace gemmac::packaging {

namespace {

// Large enough that a read costs more than its system call, small enough that
// two a thread fit into the last-level cache.
constexpr uint64_t kPieceBytes = 1 << 20;

WeightPiece wholePiece(size_t index, const WeightJob &job) {
  WeightPiece piece;
  piece.job = index;
  piece.rows = job.rows;
  piece.sourceStart = 0;
  piece.sourceBytes = uint64_t(job.source->sourceBytes(job.rows, job.columns));
  piece.packedStart = 0;
  piece.packedBytes = job.packedBytes;
  piece.isLast = true;
  return piece;
}

bool isFiniteF16(uint16_t bits) { return (bits & 0x7C00) != 0x7C00; }

// Looks at the 16 scales (and minimums) that open each packed super-block: 2 of
// some 300 bytes, already in the cache.
bool hasFiniteScales(const WeightFormat &format, ArrayRef<uint8_t> packed) {
  PackedOffsets offsets = packedOffsets(*format.codes());
  auto allFinite = [](const uint8_t *halves) {
    return all_of(seq<int64_t>(0, kRowLanes), [&](int64_t lane) {
      uint16_t bits;
      std::memcpy(&bits, halves + 2 * lane, sizeof(bits));
      return isFiniteF16(bits);
    });
  };
  for (size_t at = 0; at < packed.size(); at += size_t(offsets.bytes)) {
    const uint8_t *block = packed.data() + at;
    if (!allFinite(block)) return false;
    if (offsets.minimums >= 0 && !allFinite(block + offsets.minimums))
      return false;
  }
  return true;
}

Error checkFinite(const WeightJob &job, ArrayRef<float> values) {
  if (all_of(values, [](float value) { return std::isfinite(value); }))
    return Error::success();
  return createStringError("tensor '" + job.name +
                           "': expected finite values, found one that is not");
}

void apply(Transform transform, std::vector<float> &values) {
  switch (transform) {
    case Transform::Identity:
      return;
  }
}

// Where none does, bits of one format are kept and never decoded.
bool changesValues(const WeightJob &job) {
  return any_of(job.transforms,
                [](Transform one) { return one != Transform::Identity; });
}

// Columns of a row, decoded and transformed.
Error readRow(const WeightJob &job, const uint8_t *source,
              std::vector<float> &values) {
  job.source->decodeReference(source, job.columns, values.data());
  for (Transform transform : job.transforms) apply(transform, values);
  return checkFinite(job, values);
}

Error packVector(const WeightJob &job, PieceBuffers &buffers) {
  buffers.values.resize(size_t(job.columns));
  if (Error error = readRow(job, buffers.source.data(), buffers.values))
    return error;
  std::memcpy(buffers.packed.data(), buffers.values.data(),
              buffers.packed.size());
  return Error::success();
}

// Replaces buffers.source by the same rows in the output's format.
Error convertRows(const WeightJob &job, const WeightPiece &piece,
                  PieceBuffers &buffers) {
  int64_t sourceStride = job.source->sourceBytes(1, job.columns);
  int64_t stride = job.format->sourceBytes(1, job.columns);
  buffers.values.resize(size_t(job.columns));
  buffers.converted.resize(size_t(piece.rows * stride));
  for (int64_t row = 0; row < piece.rows; ++row) {
    if (Error error = readRow(job, buffers.source.data() + row * sourceStride,
                              buffers.values))
      return error;
    if (!job.format->encode(buffers.values.data(), job.columns,
                            buffers.converted.data() + row * stride))
      return createStringError(
          "tensor '" + job.name + "': cannot convert " + job.source->name() +
          " to " + job.format->name() + ": that format is only read, not made");
  }
  buffers.source.swap(buffers.converted);
  return Error::success();
}

}  // namespace

std::vector<WeightPiece> cutPieces(const WeightPlan &plan) {
  std::vector<WeightPiece> pieces;
  for (auto [index, job] : enumerate(plan.jobs)) {
    if (job.layout == Layout::Dense) {
      pieces.push_back(wholePiece(index, job));
      continue;
    }
    uint64_t rowBytes = uint64_t(job.source->sourceBytes(1, job.columns));
    uint64_t blockBytes =
        uint64_t(packedRowBlockBytes(*job.format, job.columns));
    uint64_t larger = std::max(blockBytes, rowBytes * kRowLanes);
    int64_t step =
        int64_t(std::max<uint64_t>(1, kPieceBytes / larger)) * kRowLanes;
    for (int64_t row = 0; row < job.rows; row += step) {
      WeightPiece piece;
      piece.job = index;
      piece.rows = std::min(step, job.rows - row);
      piece.sourceStart = uint64_t(row) * rowBytes;
      piece.sourceBytes = uint64_t(piece.rows) * rowBytes;
      piece.packedStart = uint64_t(row / kRowLanes) * blockBytes;
      piece.packedBytes =
          uint64_t((piece.rows + kRowLanes - 1) / kRowLanes) * blockBytes;
      piece.isLast = row + step >= job.rows;
      pieces.push_back(piece);
    }
  }
  return pieces;
}

Error packPiece(const WeightJob &job, const WeightPiece &piece,
                PieceBuffers &buffers) {
  buffers.packed.resize(size_t(piece.packedBytes));
  if (job.layout == Layout::Dense) return packVector(job, buffers);
  if (job.source != job.format || changesValues(job))
    if (Error error = convertRows(job, piece, buffers)) return error;
  int64_t stride = job.format->sourceBytes(1, job.columns);
  int64_t blockBytes = packedRowBlockBytes(*job.format, job.columns);
  for (int64_t row = 0; row < piece.rows; row += kRowLanes)
    packRowBlock(*job.format, buffers.source.data() + row * stride, stride,
                 std::min(kRowLanes, piece.rows - row), job.columns,
                 buffers.packed.data() + row / kRowLanes * blockBytes);
  if (!job.format->isFloat() && !hasFiniteScales(*job.format, buffers.packed))
    return createStringError("tensor '" + job.name +
                             "': expected finite scales, found one that is "
                             "not");
  return Error::success();
}

}  // namespace gemmac::packaging
