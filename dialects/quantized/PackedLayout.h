// SPDX-License-Identifier: Apache-2.0
// The packed layout: how a matrix lies in the weights section. 16 rows stand
// in lanes, so that no sum ever crosses lanes and one sequential stream feeds a
// thread. Checkpoint rows -> packed bytes (packRowBlock); the emission twins
// are in PackedEmission.h. One layout for all formats, driven by the
// descriptor; a format file never knows it.
//
// A matrix of N rows is ceil(N / 16) row blocks, missing rows zero. A row block
// of a code format is, for each super-block of its columns:
//   scales      16 x f16                                              32 B
//   minimums    16 x f16                          (hasMinimum)        32 B
//   sub-scales  F16Times6: for each group 16 bytes lo = s & 15 | (m & 15) << 4,
//               then for each two groups 16 bytes of their high 2 bits
//               (s0 >> 4 | m0 >> 4 << 2 | s1 >> 4 << 4 | m1 >> 4 << 6)  192 B
//               F16TimesS8: for each group of 16 columns 16 x s8       256 B
//   then for each 32 columns h of the super-block:
//     codeBits 8: vectors j = 0..7 of 64 B; byte lane*4+i is column 32h+4j+i
//     codeBits < 8: low nibbles, vectors j = 0..3 of 64 B; byte lane*4+i holds
//               column 32h+4j+i (low) and 32h+16+4j+i (high)
//     codeBits 5: one 64 B plane; bit j of byte lane*4+i is bit 4 of the code
//               of column 32h+4j+i, j = 0..7
//     codeBits 6: two 64 B planes p = 0, 1; bits 2b..2b+1 of byte lane*4+i are
//               bits 4..5 of the code of column 32h+16p+4b+i, b = 0..3
// A row block of a float format is, for each column k: 16 elements (lanes).
// A vector (one dimension) of n is n elements in order, format f32.
#ifndef GEMMAC_DIALECTS_QUANTIZED_PACKEDLAYOUT_H
#define GEMMAC_DIALECTS_QUANTIZED_PACKEDLAYOUT_H

#include <cstdint>

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

inline constexpr int64_t kRowLanes = 16;

// Byte offsets inside one packed super-block.
struct PackedOffsets {
  int64_t minimums;    // of 16 x f16; -1 without
  int64_t subScales;   // -1 without
  int64_t groups;      // of the first 32 columns
  int64_t groupBytes;  // of 32 columns of 16 rows, planes included
  int64_t planes;      // of the high planes inside a group; -1 without
  int64_t bytes;       // of the whole super-block of 16 rows
};
PackedOffsets packedOffsets(const CodeDescriptor &descriptor);

// Bytes of one row block of 16 rows; of a rows x columns matrix, padded to
// whole row blocks; of a vector.
int64_t packedRowBlockBytes(const WeightFormat &format, int64_t columns);
int64_t packedMatrixBytes(const WeightFormat &format, int64_t rows,
                          int64_t columns);

// Packs `count` <= 16 rows of checkpoint bytes (row r at source + r * stride);
// rows beyond `count` become zeros. Writes packedRowBlockBytes bytes.
void packRowBlock(const WeightFormat &format, const uint8_t *source,
                  int64_t stride, int64_t count, int64_t columns,
                  uint8_t *packed);

// Reads element (lane, column) of a packed row block back: what the tests and
// the reference interpreter of packed files use.
float decodePacked(const WeightFormat &format, const uint8_t *packed,
                   int64_t lane, int64_t column, int64_t columns);

}  // namespace gemmac::quantized

#endif
