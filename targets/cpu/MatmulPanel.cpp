// SPDX-License-Identifier: Apache-2.0
// See MatmulPanel.h.
#include "targets/cpu/MatmulPanel.h"

using namespace mlir;
using gemmac::quantized::CodeDescriptor;

namespace gemmac::targets {

PackedGroup panelGroup(Emitter &e, const CodeDescriptor &d, Value from) {
  PackedGroup group;
  group.codes = [=, &e](int64_t j) {
    return e.load(e.vec(e.i8(), 64), from, 64 * j);
  };
  group.scale = [=, &e](int64_t part) {
    return e.load(e.vec(e.f32()), from, 512 + 64 * part);
  };
  if (d.hasMinimum)
    group.minimum = [=, &e, scales = PanelLayout(d).scales] {
      return e.load(e.vec(e.f32()), from, 512 + 64 * scales);
    };
  return group;
}

void unpackPanel(Emitter &e, const PackedBlock &block, Value panel,
                 bool isSigned) {
  const CodeDescriptor &d = block.codes;
  auto stored = [&](Value codes) {
    if (!isSigned || d.zeroPoint == 0) return codes;
    return e.sub(codes, e.splatI(e.i8(), int8_t(d.zeroPoint), 64));
  };
  PanelLayout layout(d);
  emitGroupLoop(
      e, d, block.start, block.columns, block.prefetch, {},
      [&](Value superBlock, Value group, int parity, Value column,
          ValueRange) -> SmallVector<Value> {
        PackedGroup packed = emitPackedGroup(e, d, superBlock, group, parity);
        Value to =
            e.at(panel, e.mul(e.shr(column, 5), e.c64(layout.groupBytes())));
        for (int64_t j = 0; j < 8; ++j)
          e.store(stored(packed.codes(j)), e.at(to, 64 * j));
        for (int64_t i = 0; i < layout.scales; ++i)
          e.store(packed.scale(i), e.at(to, 512 + 64 * i));
        if (packed.minimum)
          e.store(packed.minimum(), e.at(to, 512 + 64 * layout.scales));
        return {};
      });
}

}  // namespace gemmac::targets
