// SPDX-License-Identifier: Apache-2.0
// What kernels share: the root mean square norm, the rotation of a head, GeGLU,
// the softcap and an activation's codes, emitted where they are needed, so that
// a fused kernel makes the bits of the separate ones (docs/numerics.md).
#ifndef GEMMAC_TARGETS_CPU_ROWEMISSION_H
#define GEMMAC_TARGETS_CPU_ROWEMISSION_H

#include <optional>
#include <string>

#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// Row number `row` of a buffer whose rows have `bytes` bytes.
inline mlir::Value rowAt(Emitter &e, mlir::Value buffer, mlir::Value row,
                         int64_t bytes) {
  return e.at(buffer, e.mul(row, e.c64(bytes)));
}

// A norm of segments of `columns`: y = x · r · (gain + offset).
struct Norm {
  int64_t columns;
  float eps;
  float offset;

  // Of an op's attributes; none when it has no gain.
  template <typename Op>
  static std::optional<Norm> of(Op op) {
    if (!op.getGain()) return std::nullopt;
    return Norm{op.getGain().getType().columns(), op.getNorm()->epsValue(),
                op.getNorm()->gainOffsetValue()};
  }
  // For the name of a kernel that contains it.
  std::string name() const;
};

// r = 1 / sqrt(mean(x²) + eps) of the segment at x, in all lanes.
mlir::Value emitNormFactor(Emitter &e, const Norm &norm, mlir::Value x);
// The value v, read `bytes` into its segment, normalised.
mlir::Value emitNormalised(Emitter &e, const Norm &norm, mlir::Value v,
                           mlir::Value factor, mlir::Value gain,
                           mlir::Value bytes, int64_t count);

// y = the head at x of `width` columns, normalised if `norm`, rotated by the
// row of angles. y may be x.
void emitRotatedHead(Emitter &e, int64_t width, mlir::Value x,
                     mlir::Value angles, mlir::Value y,
                     const std::optional<Norm> &norm, mlir::Value gain);

// gelu_tanh(gate) · up and cap · tanh(x / cap).
mlir::Value emitGeglu(Emitter &e, mlir::Value gate, mlir::Value up);
mlir::Value emitSoftcap(Emitter &e, mlir::Value x, float cap);

// One group of an activation's codes: a = absmax / 127 (0 below 2^-110), q =
// round-half-even(x · (1/a)), clamped, and the codes' sums per 16 and 32, into
// group `g` of the row of n columns at `out`.
void emitQuantizedGroup(Emitter &e, mlir::Value first, mlir::Value second,
                        int64_t n, mlir::Value out, mlir::Value g);

// A number and its column, scalars or vectors of f32.
struct Candidate {
  mlir::Value number, column;
};
// What every candidate beats: -inf in column +inf.
Candidate noCandidate(Emitter &e);
// The one with the larger number; of equal ones that of the lower column. A NaN
// in `challenger` loses; there is none in `best`.
Candidate emitLarger(Emitter &e, Candidate best, Candidate challenger);

}  // namespace gemmac::targets

#endif
