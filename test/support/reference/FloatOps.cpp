// SPDX-License-Identifier: Apache-2.0
// The float ops with one rounding a value, and the choice between the judges of
// the others; see FloatOps.h.
#include "test/support/reference/FloatOps.h"

#include <cmath>

using namespace gemmac;
using namespace gemmac::reference;

const FloatOps &reference::floatOps(Order order) {
  return order == Order::Exact ? exactOps() : doubleOps();
}

Tensor reference::embed(const std::vector<int32_t> &tokens,
                        const Weight &weight, float scale) {
  Tensor result({int64_t(tokens.size()), weight.columns()});
  std::vector<float> row;
  for (size_t t = 0; t < tokens.size(); ++t) {
    weight.decodeRow(tokens[t], row);
    for (int64_t d = 0; d < weight.columns(); ++d)
      result.row(t)[d] = row[d] * scale;
  }
  return result;
}

Tensor reference::add(const Tensor &lhs, const Tensor &rhs) {
  Tensor result = lhs;
  for (size_t i = 0; i < lhs.values.size(); ++i)
    result.values[i] += rhs.values[i];
  return result;
}

Tensor reference::argMax(const Tensor &input) {
  Tensor result({input.rows(), 2});
  for (int64_t t = 0; t < input.rows(); ++t) {
    const float *row = input.row(t);
    int64_t best = -1;
    for (int64_t n = 0; n < input.columns(); ++n)
      if (!std::isnan(row[n]) && (best < 0 || row[n] > row[best])) best = n;
    result.row(t)[0] = best < 0 ? -INFINITY : row[best];
    result.row(t)[1] = best < 0 ? 0.0f : float(best);
  }
  return result;
}

Tensor reference::roundToBf16(const Tensor &input) {
  Tensor result = input;
  for (float &x : result.values)
    x = quantized::bf16ToF32(quantized::f32ToBf16(x));
  return result;
}
