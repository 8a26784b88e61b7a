// SPDX-License-Identifier: Apache-2.0
// See KvKernels.h. Keys go to 16 lanes a line, rotated by way of the scratch;
// values row by row.
#include "targets/cpu/KvKernels.h"

#include "targets/cpu/KvEmission.h"
#include "targets/cpu/RowEmission.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

// What the kernel depends on.
struct Store {
  explicit Store(KvStoreRowOp op)
      : columns(cast<MemRefType>(op.getKey().getType()).getDimSize(1)),
        width(op.getHeadDim()),
        size(elementBytes(op.getKvFormat())),
        isRotated(bool(op.getAngles())),
        norm(Norm::of(op)) {
    name = "kv_store_" + std::to_string(columns) + "_" + std::to_string(width) +
           "_" + stringifyKvFormat(op.getKvFormat()).str() +
           (isRotated ? "_rope" : "") + (norm ? norm->name() : "");
  }
  int64_t scratchBytes() const {
    return isRotated ? (width * 4 + 63) / 64 * 64 : 0;
  }
  int64_t columns, width, size;
  bool isRotated;
  std::optional<Norm> norm;
  std::string name;
};

// Where a head's numbers come from and where they go: keys + line is the key's
// lane in its line of 16.
struct StoredHead {
  Value key, value;
  Value keys, line, valueRow;
};

void storeHead(Emitter &e, const Store &s, const StoredHead &head) {
  e.lanes(s.width, [&](Value bytes, int64_t count) {
    auto convert = [&](Value from) {
      Value x = e.loadLanes(e.at(from, bytes), count);
      return s.size == 4 ? x : e.narrowBf16(x);
    };
    Value column = e.shr(bytes, 2);
    Value k = convert(head.key), v = convert(head.value);
    Value to =
        e.at(e.at(head.keys, head.line), e.mul(column, e.c64(kLanes * s.size)));
    for (int64_t i = 0; i < count; ++i)
      e.store(e.lane(k, i), e.at(to, i * kLanes * s.size));
    to = e.at(head.valueRow, e.mul(column, e.c64(s.size)));
    if (count == kLanes) return e.store(v, to);
    for (int64_t i = 0; i < count; ++i)
      e.store(e.lane(v, i), e.at(to, i * s.size));
  });
}

void emitStore(Emitter &e, const Store &s, ValueRange args) {
  int64_t width = s.width, size = s.size, n = s.columns;
  Value row = rowPointer(e, args[0], args[3]);
  Value position =
      e.signExtend(e.i64(), e.load(e.i32(), row, abi::kRowPosition));
  Value base = emitBlockPointer(e, row, args[4], e.divC(position, kKvBlock));
  Value p = e.remC(position, kKvBlock);
  Value line = e.add(e.mul(e.divC(p, kLanes), e.c64(width * kLanes * size)),
                     e.mul(e.remC(p, kLanes), e.c64(size)));
  Value key = rowAt(e, args[1], args[3], n * 4);
  Value value = rowAt(e, args[2], args[3], n * 4);
  e.loop(e.c64(0), e.c64(n / width), 1, [&](Value h) {
    Value keys = e.at(base, e.mul(h, e.c64(kKvBlock * width * size)));
    Value values = e.at(keys, n * kKvBlock * size);
    Value valueRow = e.at(values, e.mul(p, e.c64(width * size)));
    Value from = e.mul(h, e.c64(width * 4));
    Value keyHead = e.at(key, from), valueHead = e.at(value, from);
    if (s.isRotated) {
      Value angles = rowAt(e, args[5], args[3], width * 4);
      Value rotated = scratchPointer(e, args[0]);
      emitRotatedHead(e, width, keyHead, angles, rotated, s.norm,
                      s.norm ? args[6] : Value());
      keyHead = rotated;
    }
    storeHead(e, s, {keyHead, valueHead, keys, line, valueRow});
  });
}

}  // namespace

void lowerKvStoreRow(KvStoreRowOp op, ValueRange operands, OpBuilder &builder,
                     KernelLibrary &library) {
  Store store(op);
  library.call(
      builder, op, store.name, operands,
      [&](Emitter &e, ValueRange args) { emitStore(e, store, args); },
      store.scratchBytes());
}

}  // namespace gemmac::targets
