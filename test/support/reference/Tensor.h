// SPDX-License-Identifier: Apache-2.0
// What flows between the ops of the reference interpreter: dense f32 tensors
// and rows of 8-bit codes. Plain data; no MLIR type, no op.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_TENSOR_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_TENSOR_H

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace gemmac::reference {

// Row-major.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;

  Tensor() = default;
  explicit Tensor(std::vector<int64_t> sizes)
      : shape(std::move(sizes)),
        values(std::accumulate(shape.begin(), shape.end(), size_t(1),
                               std::multiplies<size_t>())) {}

  int64_t rows() const { return shape.front(); }
  int64_t columns() const { return shape.back(); }
  float *row(int64_t index) { return values.data() + index * stride(); }
  const float *row(int64_t index) const {
    return values.data() + index * stride();
  }

 private:
  // Elements of one slice along the first dimension.
  int64_t stride() const {
    return std::accumulate(shape.begin() + 1, shape.end(), int64_t(1),
                           std::multiplies<int64_t>());
  }
};

// Row t, group g of 32 columns: codes[t][32 g ...], scales[t][g].
struct Activations {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<int8_t> codes;
  std::vector<float> scales;

  const int8_t *rowCodes(int64_t row) const {
    return codes.data() + row * columns;
  }
  const float *rowScales(int64_t row) const {
    return scales.data() + row * (columns / 32);
  }
};

}  // namespace gemmac::reference

#endif
