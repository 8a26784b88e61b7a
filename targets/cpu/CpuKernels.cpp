// SPDX-License-Identifier: Apache-2.0
// The dot of 8-bit codes that every CPU can do: see CpuKernels.h. What a target
// does not override is this.
#include "targets/cpu/CpuKernels.h"

using namespace mlir;

namespace gemmac::targets {

// Column i of a vector of four: the bytes 4·lane + i, widened.
SmallVector<Value> CpuKernels::groupDot(Emitter &e, const GroupDot &dot) const {
  SmallVector<Value> sums;
  for (Value sum : dot.sums)
    sums.push_back(e.splat(e.mul(sum, e.c32(-dot.zeroPoint))));
  Value mask = e.splatI(e.i32(), 0xff);
  for (int64_t j = 0; j < dot.steps; ++j) {
    Value words = e.bitcast(e.vec(e.i32()), dot.codes(j));
    for (int64_t i = 0; i < 4; ++i) {
      Value weights = e.andI(e.shr(words, 8 * i), mask);
      for (auto [m, token] : llvm::enumerate(dot.tokens)) {
        Value x = e.load(e.i8(), token, 4 * j + i);
        Value wide = e.splat(e.signExtend(e.i32(), x));
        sums[m] = e.add(sums[m], e.mul(weights, wide));
      }
    }
  }
  return sums;
}

Value emitUnknownBytes(Emitter &e, Value rounds, int64_t bytes,
                       int64_t offset) {
  Value all = e.splat(e.truncate(e.i8(), rounds), bytes);
  return e.add(all, e.splatI(e.i8(), offset, bytes));
}

}  // namespace gemmac::targets
