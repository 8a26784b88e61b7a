// SPDX-License-Identifier: Apache-2.0
// See KvEmission.h.
#include "targets/cpu/KvEmission.h"

#include "targets/cpu/StepEmission.h"

using namespace mlir;

namespace gemmac::targets {

Value Span::firstBlock(Emitter &e) const { return e.divC(begin, kKvBlock); }
Value Span::endBlock(Emitter &e) const {
  return e.divC(e.add(end, e.c64(kKvBlock - 1)), kKvBlock);
}

Span emitVisible(Emitter &e, Value row, int64_t window) {
  auto field = [&](int64_t offset) {
    return e.signExtend(e.i64(), e.load(e.i32(), row, offset));
  };
  Value position = field(abi::kRowPosition);
  Value begin =
      window ? e.maxI(e.c64(0), e.sub(position, e.c64(window - 1))) : e.c64(0);
  return {begin, e.add(field(abi::kRowVisibleEnd), e.c64(1))};
}

Value emitBlockPointer(Emitter &e, Value row, Value layer, Value block) {
  Value layers =
      LLVM::AddressOfOp::create(e.b, e.loc, e.ptrType(), kKvLayersSymbol);
  Value entry = e.at(layers, e.mul(layer, e.c64(abi::kKvLayerBytes)));
  auto field = [&](int64_t offset) {
    return e.signExtend(e.i64(), e.load(e.i32(), entry, offset));
  };
  Value first = field(abi::kKvFirstSlot), ring = field(abi::kKvRingBlocks);
  Value slot = e.add(first, arith::RemUIOp::create(e.b, e.loc, block, ring));
  Value table = e.load(e.ptrType(), row, abi::kRowKv);
  return e.load(e.ptrType(), e.at(table, e.shl(slot, 3)));
}

}  // namespace gemmac::targets
