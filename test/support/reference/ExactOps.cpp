// SPDX-License-Identifier: Apache-2.0
// The float ops to the bit of docs/numerics.md, one row or head at a time by
// ScalarKernels.h.
#include <algorithm>
#include <cmath>

#include "test/support/reference/FloatOps.h"
#include "test/support/reference/ScalarKernels.h"

using namespace gemmac;
using namespace gemmac::reference;

namespace {

// Row by row, in segments of `width`: kernel(the segment, its row).
template <typename Kernel>
Tensor mapSegments(const Tensor &input, int64_t width, Kernel kernel) {
  Tensor result(input.shape);
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t at = 0; at < input.columns(); at += width) {
      const float *x = input.row(t) + at;
      std::vector<float> y = kernel(std::vector<float>(x, x + width), t);
      std::copy(y.begin(), y.end(), result.row(t) + at);
    }
  return result;
}

class ExactOps : public FloatOps {
 public:
  Tensor rmsNorm(const Tensor &input, const Weight &gain, float eps,
                 float gainOffset) const override {
    std::vector<float> gains;
    gain.decodeRow(0, gains);
    return mapSegments(input, gains.size(),
                       [&](const std::vector<float> &x, int64_t) {
                         return scalar::rmsNorm(x, gains, eps, gainOffset);
                       });
  }

  // One fma an element, in increasing k.
  Tensor linear(const Tensor &input, const Weight &weight) const override {
    Tensor result({input.rows(), weight.rows()});
    std::vector<float> row;
    for (int64_t n = 0; n < weight.rows(); ++n) {
      weight.decodeRow(n, row);
      for (int64_t t = 0; t < input.rows(); ++t) {
        float sum = 0;
        for (int64_t k = 0; k < weight.columns(); ++k)
          sum = std::fma(row[k], input.row(t)[k], sum);
        result.row(t)[n] = sum;
      }
    }
    return result;
  }

  Tensor ropeAngles(const std::vector<int32_t> &positions, int64_t headDim,
                    double theta, double factor) const override {
    Tensor result({int64_t(positions.size()), headDim});
    for (size_t t = 0; t < positions.size(); ++t) {
      std::vector<float> angles =
          scalar::ropeAngles(positions[t], headDim, theta, factor);
      std::copy(angles.begin(), angles.end(), result.row(t));
    }
    return result;
  }

  Tensor rope(const Tensor &input, const Tensor &angles) const override {
    int64_t width = angles.columns();
    return mapSegments(input, width,
                       [&](const std::vector<float> &x, int64_t t) {
                         const float *a = angles.row(t);
                         return scalar::rope(x, {a, a + width});
                       });
  }

  Tensor softcap(const Tensor &input, float cap) const override {
    Tensor result = input;
    for (float &x : result.values) x = scalar::softcap(x, cap);
    return result;
  }

  Tensor geglu(const Tensor &gate, const Tensor &up) const override {
    Tensor result = gate;
    for (size_t i = 0; i < gate.values.size(); ++i)
      result.values[i] = scalar::geglu(gate.values[i], up.values[i]);
    return result;
  }

  // Blocks count from position 0, which is row 0 of key and value.
  Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value,
                   const std::vector<int32_t> &positions,
                   const AttentionShape &shape) const override {
    int64_t shared = query.columns() / key.columns();
    Tensor result(query.shape);
    for (int64_t t = 0; t < query.rows(); ++t)
      for (int64_t at = 0; at < query.columns(); at += shape.headDim) {
        int64_t column = at / shape.headDim / shared * shape.headDim;
        scalar::Attention head{
            shape.headDim, shape.scale, shape.softcap,
            [&](int64_t position) { return key.row(position) + column; },
            [&](int64_t position) { return value.row(position) + column; }};
        int64_t end = int64_t(positions[t]) + 1;
        int64_t begin =
            shape.window ? std::max<int64_t>(0, end - shape.window) : 0;
        std::vector<float> out =
            scalar::attend(head, query.row(t) + at, begin, end);
        std::copy(out.begin(), out.end(), result.row(t) + at);
      }
    return result;
  }
};

}  // namespace

const FloatOps &reference::exactOps() {
  static const ExactOps ops;
  return ops;
}
