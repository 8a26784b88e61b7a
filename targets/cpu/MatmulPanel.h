// SPDX-License-Identifier: Apache-2.0
// A panel: a row block of a code format unpacked once into the thread's
// scratch, from where many rows of activations use it. A group of 32 columns of
// 16 rows is 512 B of codes, then f32 scales (one or two times 16) and
// minimums.
#ifndef GEMMAC_TARGETS_CPU_MATMULPANEL_H
#define GEMMAC_TARGETS_CPU_MATMULPANEL_H

#include "targets/cpu/PackedEmission.h"

namespace gemmac::targets {

struct PanelLayout {
  explicit PanelLayout(const quantized::CodeDescriptor &d)
      : scales(d.group == 16 ? 2 : 1), minimums(d.hasMinimum ? 1 : 0) {}
  int64_t groupBytes() const { return 512 + 64 * (scales + minimums); }
  // Of a row block of `columns`.
  int64_t bytes(int64_t columns) const { return columns / 32 * groupBytes(); }
  int64_t scales, minimums;
};

// The group at `from`, read where it is asked for.
PackedGroup panelGroup(Emitter &e, const quantized::CodeDescriptor &d,
                       mlir::Value from);

// A row block in the packed layout.
struct PackedBlock {
  const quantized::CodeDescriptor &codes;
  mlir::Value start;
  int64_t columns;
  int64_t prefetch;  // see emitGroupLoop
};
// Unpacks it into `panel`. With `isSigned` the codes lose their zero point:
// then every format's are s8.
void unpackPanel(Emitter &e, const PackedBlock &block, mlir::Value panel,
                 bool isSigned);

}  // namespace gemmac::targets

#endif
