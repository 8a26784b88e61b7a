// SPDX-License-Identifier: Apache-2.0
// The float ops in double, as the ops' documentation writes them: sums in
// double, libm's functions, one rounding to f32 at the end. Knows nothing of
// blocks, lanes or orders. Source of the formulas: dialects/gemma/GemmaOps.td.
#include <algorithm>
#include <cmath>
#include <limits>

#include "test/support/reference/FloatOps.h"

using namespace gemmac;
using namespace gemmac::reference;

namespace {

class DoubleOps : public FloatOps {
 public:
  Tensor rmsNorm(const Tensor &input, const Weight &gain, float eps,
                 float gainOffset) const override;
  Tensor linear(const Tensor &input, const Weight &weight) const override;
  Tensor ropeAngles(const std::vector<int32_t> &positions, int64_t headDim,
                    double theta, double factor) const override;
  Tensor rope(const Tensor &input, const Tensor &angles) const override;
  Tensor softcap(const Tensor &input, float cap) const override;
  Tensor geglu(const Tensor &gate, const Tensor &up) const override;
  Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value,
                   const std::vector<int32_t> &positions,
                   const AttentionShape &shape) const override;
};

Tensor DoubleOps::rmsNorm(const Tensor &input, const Weight &gain, float eps,
                          float gainOffset) const {
  std::vector<float> gains;
  gain.decodeRow(0, gains);
  size_t width = gains.size();
  Tensor result = input;
  for (size_t begin = 0; begin < input.values.size(); begin += width) {
    float *x = &result.values[begin];
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double(x[i]) * x[i];
    double factor = 1 / std::sqrt(squares / width + eps);
    for (size_t i = 0; i < width; ++i)
      x[i] = x[i] * factor * (double(gains[i]) + gainOffset);
  }
  return result;
}

Tensor DoubleOps::linear(const Tensor &input, const Weight &weight) const {
  Tensor result({input.rows(), weight.rows()});
  std::vector<float> row;
  for (int64_t n = 0; n < weight.rows(); ++n) {
    weight.decodeRow(n, row);
    for (int64_t t = 0; t < input.rows(); ++t) {
      double sum = 0;
      for (int64_t k = 0; k < weight.columns(); ++k)
        sum += double(row[k]) * input.row(t)[k];
      result.row(t)[n] = sum;
    }
  }
  return result;
}

Tensor DoubleOps::ropeAngles(const std::vector<int32_t> &positions,
                             int64_t headDim, double theta,
                             double factor) const {
  Tensor result({int64_t(positions.size()), headDim});
  int64_t half = headDim / 2;
  for (int64_t i = 0; i < half; ++i) {
    float frequency = std::pow(theta, -2.0 * i / headDim) / factor;
    for (size_t t = 0; t < positions.size(); ++t) {
      // The product is f32's by definition of the op: part of the model.
      float angle = float(positions[t]) * frequency;
      result.row(t)[i] = std::cos(double(angle));
      result.row(t)[half + i] = std::sin(double(angle));
    }
  }
  return result;
}

Tensor DoubleOps::rope(const Tensor &input, const Tensor &angles) const {
  Tensor result = input;
  int64_t width = angles.columns(), half = width / 2;
  for (int64_t t = 0; t < input.rows(); ++t) {
    const float *cosines = angles.row(t), *sines = cosines + half;
    for (int64_t head = 0; head < input.columns(); head += width)
      for (int64_t i = 0; i < half; ++i) {
        double low = input.row(t)[head + i];
        double high = input.row(t)[head + half + i];
        result.row(t)[head + i] = low * cosines[i] - high * sines[i];
        result.row(t)[head + half + i] = high * cosines[i] + low * sines[i];
      }
  }
  return result;
}

Tensor DoubleOps::softcap(const Tensor &input, float cap) const {
  Tensor result = input;
  for (float &x : result.values) x = cap * std::tanh(double(x) / cap);
  return result;
}

Tensor DoubleOps::geglu(const Tensor &gate, const Tensor &up) const {
  Tensor result = gate;
  const double factor = std::sqrt(2 / M_PI);
  for (size_t i = 0; i < gate.values.size(); ++i) {
    double g = gate.values[i];
    double u = factor * (g + 0.044715 * g * g * g);
    result.values[i] = 0.5 * g * (1 + std::tanh(u)) * up.values[i];
  }
  return result;
}

Tensor DoubleOps::attention(const Tensor &query, const Tensor &key,
                            const Tensor &value,
                            const std::vector<int32_t> &positions,
                            const AttentionShape &shape) const {
  Tensor scores = attentionScores(query, key, shape.headDim, shape.scale);
  if (shape.softcap > 0) scores = softcap(scores, shape.softcap);
  scores = mask(scores, positions, shape.window);
  return attentionValues(softmax(scores), value, shape.headDim);
}

}  // namespace

const FloatOps &reference::doubleOps() {
  static const DoubleOps ops;
  return ops;
}

Tensor reference::attentionScores(const Tensor &query, const Tensor &key,
                                  int64_t headDim, float scale) {
  int64_t heads = query.columns() / headDim;
  int64_t shared = heads / (key.columns() / headDim);
  Tensor result({query.rows(), heads, key.rows()});
  for (int64_t t = 0; t < query.rows(); ++t)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t j = 0; j < key.rows(); ++j) {
        const float *q = query.row(t) + h * headDim;
        const float *k = key.row(j) + h / shared * headDim;
        double sum = 0;
        for (int64_t e = 0; e < headDim; ++e) sum += double(q[e]) * k[e];
        result.row(t)[h * key.rows() + j] = sum * scale;
      }
  return result;
}

Tensor reference::mask(const Tensor &scores,
                       const std::vector<int32_t> &positions, int64_t window) {
  Tensor result = scores;
  int64_t heads = scores.shape[1], keys = scores.shape[2];
  for (int64_t t = 0; t < scores.rows(); ++t)
    for (int64_t j = 0; j < keys; ++j) {
      int64_t distance = int64_t(positions[t]) - positions[j];
      if (distance >= 0 && (window == 0 || distance < window)) continue;
      for (int64_t h = 0; h < heads; ++h)
        result.row(t)[h * keys + j] = -std::numeric_limits<float>::infinity();
    }
  return result;
}

Tensor reference::softmax(const Tensor &input) {
  Tensor result = input;
  int64_t width = input.columns();
  std::vector<double> weights(width);
  for (size_t begin = 0; begin < input.values.size(); begin += width) {
    float *x = &result.values[begin];
    double largest = *std::max_element(x, x + width), sum = 0;
    for (int64_t j = 0; j < width; ++j)
      sum += weights[j] = std::exp(x[j] - largest);
    for (int64_t j = 0; j < width; ++j) x[j] = weights[j] / sum;
  }
  return result;
}

Tensor reference::attentionValues(const Tensor &probabilities,
                                  const Tensor &value, int64_t headDim) {
  int64_t heads = probabilities.shape[1], keys = probabilities.shape[2];
  int64_t shared = heads / (value.columns() / headDim);
  Tensor result({probabilities.rows(), heads * headDim});
  for (int64_t t = 0; t < probabilities.rows(); ++t)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t e = 0; e < headDim; ++e) {
        const float *p = probabilities.row(t) + h * keys;
        int64_t column = h / shared * headDim + e;
        double sum = 0;
        for (int64_t j = 0; j < keys; ++j)
          sum += double(p[j]) * value.row(j)[column];
        result.row(t)[h * headDim + e] = sum;
      }
  return result;
}
