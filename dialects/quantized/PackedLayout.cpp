// SPDX-License-Identifier: Apache-2.0
// The packed layout, once for all formats: what the descriptor says decides.
// packRowBlock writes it, decodePacked reads single elements of it back.
#include "dialects/quantized/PackedLayout.h"

#include <cstring>

#include "dialects/quantized/formats/CodeFormat.h"

using namespace gemmac::quantized;

PackedOffsets gemmac::quantized::packedOffsets(
    const CodeDescriptor &descriptor) {
  PackedOffsets offsets{-1, -1, 0, 0, -1, 0};
  int64_t at = kRowLanes * 2;
  if (descriptor.hasMinimum) {
    offsets.minimums = at;
    at += kRowLanes * 2;
  }
  int64_t groups = descriptor.superBlock / descriptor.group;
  if (descriptor.scaleRule != ScaleRule::F16) {
    offsets.subScales = at;
    at += groups * kRowLanes;
    if (descriptor.scaleRule == ScaleRule::F16Times6)
      at += groups / 2 * kRowLanes;
  }
  offsets.groups = at;
  offsets.groupBytes = 32 * kRowLanes * descriptor.codeBits / 8;
  if (descriptor.codeBits == 5 || descriptor.codeBits == 6)
    offsets.planes = 32 * kRowLanes / 2;
  offsets.bytes = at + descriptor.superBlock / 32 * offsets.groupBytes;
  return offsets;
}

int64_t gemmac::quantized::packedRowBlockBytes(const WeightFormat &format,
                                               int64_t columns) {
  if (format.isFloat()) return kRowLanes * columns * format.blockBytes();
  const CodeDescriptor &descriptor = *format.codes();
  return columns / descriptor.superBlock * packedOffsets(descriptor).bytes;
}

int64_t gemmac::quantized::packedMatrixBytes(const WeightFormat &format,
                                             int64_t rows, int64_t columns) {
  return (rows + kRowLanes - 1) / kRowLanes *
         packedRowBlockBytes(format, columns);
}

// The byte of group g's low sub-scale bits, and of the pair's high bits.
static int64_t lowScaleByte(int64_t group, int64_t lane) {
  return group * kRowLanes + lane;
}
static int64_t highScaleByte(int64_t groups, int64_t group, int64_t lane) {
  return (groups + group / 2) * kRowLanes + lane;
}

static void packSubScales(const CodeDescriptor &descriptor,
                          const CodeBlock &block, int64_t lane,
                          uint8_t *packed) {
  int64_t groups = descriptor.superBlock / descriptor.group;
  for (int64_t g = 0; g < groups; ++g) {
    uint8_t scale = block.subScales[g];
    if (descriptor.scaleRule == ScaleRule::F16TimesS8) {
      packed[lowScaleByte(g, lane)] = scale;
      continue;
    }
    uint8_t minimum = block.subMinimums[g];
    packed[lowScaleByte(g, lane)] = (scale & 15) | (minimum & 15) << 4;
    packed[highScaleByte(groups, g, lane)] |= (scale >> 4 | minimum >> 4 << 2)
                                              << g % 2 * 4;
  }
}

// Four neighbouring columns fill a lane's 4 bytes: they move as one word, byte
// by byte in place, whatever the host's byte order.
static uint32_t loadWord(const uint8_t *bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, 4);
  return word;
}
static void storeWord(uint8_t *bytes, uint32_t word) {
  std::memcpy(bytes, &word, 4);
}

// 32 codes of one lane; `cell` is the lane's first byte in the group.
static void packCodes(unsigned codeBits, const uint8_t *codes, uint8_t *cell) {
  if (codeBits == 8) {
    for (int j = 0; j < 8; ++j)
      storeWord(cell + 64 * j, loadWord(codes + 4 * j));
    return;
  }
  for (int j = 0; j < 4; ++j) {
    uint32_t low = loadWord(codes + 4 * j) & 0x0f0f0f0f;
    uint32_t high = loadWord(codes + 16 + 4 * j) & 0x0f0f0f0f;
    storeWord(cell + 64 * j, low | high << 4);
  }
  uint8_t *planes = cell + 4 * 64;
  if (codeBits == 5) {
    uint32_t plane = 0;
    for (int j = 0; j < 8; ++j)
      plane |= (loadWord(codes + 4 * j) >> 4 & 0x01010101) << j;
    storeWord(planes, plane);
  } else if (codeBits == 6) {
    for (int p = 0; p < 2; ++p) {
      uint32_t plane = 0;
      for (int b = 0; b < 4; ++b)
        plane |= (loadWord(codes + 16 * p + 4 * b) >> 4 & 0x03030303) << 2 * b;
      storeWord(planes + 64 * p, plane);
    }
  }
}

static void packLane(const CodeDescriptor &descriptor,
                     const PackedOffsets &offsets, const CodeBlock &block,
                     int64_t lane, uint8_t *packed) {
  storeU16(packed + 2 * lane, block.scale);
  if (descriptor.hasMinimum)
    storeU16(packed + offsets.minimums + 2 * lane, block.minimum);
  if (offsets.subScales >= 0)
    packSubScales(descriptor, block, lane, packed + offsets.subScales);
  uint8_t *cell = packed + offsets.groups + 4 * lane;
  for (unsigned k = 0; k < descriptor.superBlock; k += 32) {
    packCodes(descriptor.codeBits, block.codes + k, cell);
    cell += offsets.groupBytes;
  }
}

template <int64_t size>
static void packFloatRows(const uint8_t *source, int64_t stride, int64_t count,
                          int64_t columns, uint8_t *packed) {
  for (int64_t k = 0; k < columns; ++k)
    for (int64_t row = 0; row < count; ++row)
      std::memcpy(packed + (k * kRowLanes + row) * size,
                  source + row * stride + k * size, size);
}

void gemmac::quantized::packRowBlock(const WeightFormat &format,
                                     const uint8_t *source, int64_t stride,
                                     int64_t count, int64_t columns,
                                     uint8_t *packed) {
  std::memset(packed, 0, packedRowBlockBytes(format, columns));
  if (format.isFloat())
    return (format.blockBytes() == 4
                ? packFloatRows<4>
                : packFloatRows<2>)(source, stride, count, columns, packed);
  const CodeDescriptor &descriptor = *format.codes();
  PackedOffsets offsets = packedOffsets(descriptor);
  CodeBlock block;
  for (int64_t b = 0; b < columns / descriptor.superBlock; ++b)
    for (int64_t row = 0; row < count; ++row) {
      format.parse(source + row * stride + b * format.blockBytes(), block);
      packLane(descriptor, offsets, block, row, packed + b * offsets.bytes);
    }
}

// Where the code of column k (< 32) of a lane lies inside its group of 32.
namespace {

struct CodePlace {
  int64_t low;    // byte of the nibble, or of the whole 8-bit code
  int lowShift;   // 0 or 4
  int64_t plane;  // byte of the high bits, from the group's planes
  int planeShift;
};

}  // namespace

static CodePlace codePlace(unsigned codeBits, int64_t lane, int k) {
  int64_t cell = lane * 4 + k % 4;
  CodePlace place{k / 4 * 64 + cell, 0, 0, 0};
  if (codeBits == 8) return place;
  place.low = k % 16 / 4 * 64 + cell;
  place.lowShift = k / 16 * 4;
  if (codeBits == 5) {
    place.plane = cell;
    place.planeShift = k / 4;
  } else if (codeBits == 6) {
    place.plane = k / 16 * 64 + cell;
    place.planeShift = k % 16 / 4 * 2;
  }
  return place;
}

// The inverse of packLane for the one column that decodePacked wants.
static void unpackColumn(const CodeDescriptor &descriptor,
                         const uint8_t *packed, int64_t lane, unsigned column,
                         CodeBlock &block) {
  PackedOffsets offsets = packedOffsets(descriptor);
  block.scale = loadU16(packed + 2 * lane);
  if (descriptor.hasMinimum)
    block.minimum = loadU16(packed + offsets.minimums + 2 * lane);
  if (offsets.subScales >= 0) {
    const uint8_t *scales = packed + offsets.subScales;
    int64_t groups = descriptor.superBlock / descriptor.group;
    int64_t g = column / descriptor.group;
    uint8_t low = scales[lowScaleByte(g, lane)];
    block.subScales[g] = low;
    if (descriptor.scaleRule == ScaleRule::F16Times6) {
      uint8_t high = scales[highScaleByte(groups, g, lane)] >> g % 2 * 4;
      block.subScales[g] = (low & 15) | (high & 3) << 4;
      block.subMinimums[g] = low >> 4 | (high >> 2 & 3) << 4;
    }
  }
  CodePlace place = codePlace(descriptor.codeBits, lane, column % 32);
  const uint8_t *group =
      packed + offsets.groups + column / 32 * offsets.groupBytes;
  uint8_t code = group[place.low];
  if (descriptor.codeBits < 8) code = code >> place.lowShift & 15;
  if (offsets.planes >= 0) {
    uint8_t mask = (1 << (descriptor.codeBits - 4)) - 1;
    code |= (group[offsets.planes + place.plane] >> place.planeShift & mask)
            << 4;
  }
  block.codes[column] = code;
}

float gemmac::quantized::decodePacked(const WeightFormat &format,
                                      const uint8_t *packed, int64_t lane,
                                      int64_t column, int64_t columns) {
  if (format.isFloat()) {
    float value;
    format.decodeReference(
        packed + (column * kRowLanes + lane) * format.blockBytes(), 1, &value);
    return value;
  }
  const CodeDescriptor &descriptor = *format.codes();
  packed += column / descriptor.superBlock * packedOffsets(descriptor).bytes;
  unsigned inBlock = column % descriptor.superBlock;
  CodeBlock block;
  unpackColumn(descriptor, packed, lane, inBlock, block);
  return codeValue(descriptor, block, inBlock);
}
