// SPDX-License-Identifier: Apache-2.0
// Emission twin of dialects/quantized/PackedLayout.cpp.
#include "targets/cpu/PackedEmission.h"

#include <cassert>

using namespace mlir;
using gemmac::quantized::CodeDescriptor;
using gemmac::quantized::PackedOffsets;
using gemmac::quantized::ScaleRule;

namespace gemmac::targets {

// No machine shifts bytes: shift 16-bit lanes and let the mask cut what
// crossed over.
static Value shiftBytes(Emitter &e, Value bytes, int64_t left, int64_t mask) {
  Value wide = e.bitcast(e.vec(e.i16(), 32), bytes);
  wide = left >= 0 ? e.shl(wide, left) : e.shr(wide, -left);
  Value back = e.bitcast(e.vec(e.i8(), 64), wide);
  return e.andI(back, e.splatI(e.i8(), mask, 64));
}

// Columns 4j … 4j + 3 of the 16 rows.
static Value emitCodes(Emitter &e, const CodeDescriptor &descriptor,
                       const PackedOffsets &offsets, Value group, int64_t j) {
  assert(j >= 0 && j < 8 && "a group of 32 columns has 8 vectors of codes");
  Type bytes64 = e.vec(e.i8(), 64);
  if (descriptor.codeBits == 8) return e.load(bytes64, group, 64 * j);
  Value nibbles = e.load(bytes64, group, 64 * (j % 4));
  Value codes = j < 4 ? e.andI(nibbles, e.splatI(e.i8(), 15, 64))
                      : shiftBytes(e, nibbles, -4, 15);
  if (descriptor.codeBits == 5) {
    Value plane = e.load(bytes64, group, offsets.planes);
    codes = e.orI(codes, shiftBytes(e, plane, 4 - j, 0x10));
  } else if (descriptor.codeBits == 6) {
    Value plane = e.load(bytes64, group, offsets.planes + 64 * (j / 4));
    codes = e.orI(codes, shiftBytes(e, plane, 4 - 2 * (j % 4), 0x30));
  }
  return codes;
}

// 16 f16 at superBlock + offset as f32.
static Value loadHalves(Emitter &e, Value superBlock, int64_t offset) {
  return e.widenF16(e.load(e.vec(e.i16()), superBlock, offset));
}

static Value bytesToI32(Emitter &e, Value pointer, bool isSigned) {
  Value bytes = e.load(e.vec(e.i8()), pointer);
  return isSigned ? e.signExtend(e.i32(), bytes) : e.zeroExtend(e.i32(), bytes);
}

// The 6-bit scale or minimum of the group: a nibble of one byte and two bits of
// another, which two groups share.
static Value emitSixBits(Emitter &e, const CodeDescriptor &descriptor,
                         const PackedOffsets &offsets, Value superBlock,
                         Value group, int64_t lowBit, int64_t highBit) {
  int64_t groups = descriptor.superBlock / 32;
  Value table = e.at(superBlock, offsets.subScales);
  Value low = bytesToI32(e, e.at(table, e.mul(group, e.c64(16))), false);
  Value high = bytesToI32(
      e, e.at(e.at(table, groups * 16), e.mul(e.shr(group, 1), e.c64(16))),
      false);
  Value nibble = e.andI(e.shr(low, lowBit), e.splatI(e.i32(), 15));
  Value top = e.andI(e.shr(high, highBit), e.splatI(e.i32(), 3));
  return e.toF32(e.orI(nibble, e.shl(top, 4)));
}

PackedGroup emitPackedGroup(Emitter &e, const CodeDescriptor &descriptor,
                            Value superBlock, Value group, int parity) {
  assert((parity == 0 || parity == 1) && "the group's lowest bit");
  PackedOffsets offsets = quantized::packedOffsets(descriptor);
  const CodeDescriptor *d = &descriptor;
  Value start = e.at(e.at(superBlock, offsets.groups),
                     e.mul(group, e.c64(offsets.groupBytes)));
  PackedGroup result;
  result.codes = [=, &e](int64_t j) {
    return emitCodes(e, *d, offsets, start, j);
  };
  result.scale = [=, &e](int64_t part) {
    assert(part >= 0 && part < 32 / d->group && "a scale for each part");
    Value scale = loadHalves(e, superBlock, 0);
    if (d->scaleRule == ScaleRule::F16) return scale;
    if (d->scaleRule == ScaleRule::F16Times6)
      return e.mul(
          scale, emitSixBits(e, *d, offsets, superBlock, group, 0, 4 * parity));
    Value table =
        e.at(e.at(superBlock, offsets.subScales), e.mul(group, e.c64(32)));
    return e.mul(scale, e.toF32(bytesToI32(e, e.at(table, 16 * part), true)));
  };
  if (descriptor.hasMinimum)
    result.minimum = [=, &e] {
      Value minimum = loadHalves(e, superBlock, offsets.minimums);
      if (d->scaleRule == ScaleRule::F16) return minimum;
      return e.mul(minimum, emitSixBits(e, *d, offsets, superBlock, group, 4,
                                        4 * parity + 2));
    };
  return result;
}

SmallVector<Value> emitGroupLoop(Emitter &e, const CodeDescriptor &descriptor,
                                 Value rowBlock, int64_t columns,
                                 int64_t prefetch, ValueRange carried,
                                 GroupBody body) {
  assert(columns % descriptor.superBlock == 0 && "whole super-blocks");
  PackedOffsets offsets = quantized::packedOffsets(descriptor);
  int64_t groups = descriptor.superBlock / 32;
  int64_t unroll = groups > 1 ? 2 : 1;
  return SmallVector<Value>(e.loop(
      e.c64(0), e.c64(columns / descriptor.superBlock), 1, carried,
      [&](Value s, ValueRange outer) -> SmallVector<Value> {
        Value superBlock = e.at(rowBlock, e.mul(s, e.c64(offsets.bytes)));
        Value first = e.mul(s, e.c64(descriptor.superBlock));
        auto pair = [&](Value h, ValueRange inner) {
          SmallVector<Value> values(inner);
          for (int64_t p = 0; p < unroll; ++p) {
            Value group = e.add(h, e.c64(p));
            Value column = e.add(first, e.mul(group, e.c64(32)));
            if (prefetch) {
              int64_t share = offsets.bytes / groups;
              Value here = e.at(superBlock, e.mul(group, e.c64(share)));
              for (int64_t at = 0; at < share; at += 64)
                e.prefetch(e.at(here, prefetch + at));
            }
            values = body(superBlock, group, int(p), column, values);
          }
          return values;
        };
        if (groups == 1) return pair(e.c64(0), outer);
        return SmallVector<Value>(
            e.loop(e.c64(0), e.c64(groups), unroll, outer, pair));
      }));
}

}  // namespace gemmac::targets
