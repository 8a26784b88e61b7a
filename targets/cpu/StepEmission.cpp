// SPDX-License-Identifier: Apache-2.0
// See StepEmission.h.
#include "targets/cpu/StepEmission.h"

using namespace mlir;

namespace gemmac::targets {

Value stepField(Emitter &e, Value context, Type type, int64_t offset) {
  Value step = e.load(e.ptrType(), context, abi::kContextStep);
  return e.load(type, step, offset);
}

Value rowPointer(Emitter &e, Value context, Value row) {
  Value rows = stepField(e, context, e.ptrType(), abi::kRows);
  return e.at(rows, e.mul(row, e.c64(abi::kRowBytes)));
}

Value scratchPointer(Emitter &e, Value context) {
  return e.load(e.ptrType(), context, abi::kContextScratch);
}

}  // namespace gemmac::targets
