// SPDX-License-Identifier: Apache-2.0
// The arithmetic on codes of the reference interpreter; see CodeOps.h.
#include "test/support/reference/CodeOps.h"

#include <algorithm>
#include <cmath>

using namespace gemmac;
using namespace gemmac::reference;
using quantized::CodeBlock;
using quantized::CodeDescriptor;
using quantized::ScaleRule;

namespace {

constexpr int64_t kActivationGroup = 32;
// Below it 1 / scale could overflow, so the group counts as zero.
const float kSmallestAbsmax = std::ldexp(1.0f, -110);

// Scale and minimum of one group; both products are exact in f32.
struct GroupFactors {
  float scale;
  float minimum;
};

GroupFactors groupFactors(const CodeDescriptor &descriptor,
                          const CodeBlock &block, unsigned group) {
  float scale = quantized::f16ToF32(block.scale);
  float minimum =
      descriptor.hasMinimum ? quantized::f16ToF32(block.minimum) : 0.0f;
  switch (descriptor.scaleRule) {
    case ScaleRule::F16:
      break;
    case ScaleRule::F16Times6:
      scale *= float(block.subScales[group]);
      minimum *= float(block.subMinimums[group]);
      break;
    case ScaleRule::F16TimesS8:
      scale *= float(int8_t(block.subScales[group]));
      break;
  }
  return {scale, minimum};
}

// acc after one super-block of codes against the same columns of a row.
float accumulateBlock(const CodeDescriptor &descriptor, const CodeBlock &block,
                      const int8_t *codes, const float *scales, float acc) {
  for (unsigned g = 0; g < descriptor.superBlock / descriptor.group; ++g) {
    int32_t products = 0, sum = 0;
    unsigned begin = g * descriptor.group;
    for (unsigned k = begin; k < begin + descriptor.group; ++k) {
      products += int32_t(block.codes[k]) * codes[k];
      sum += codes[k];
    }
    float a = scales[begin / kActivationGroup];
    GroupFactors factors = groupFactors(descriptor, block, g);
    acc = std::fma(float(products - descriptor.zeroPoint * sum),
                   factors.scale * a, acc);
    if (descriptor.hasMinimum)
      acc = std::fma(-float(sum), factors.minimum * a, acc);
  }
  return acc;
}

}  // namespace

Activations reference::quantizeActivation(const Tensor &input) {
  Activations result;
  result.rows = input.rows();
  result.columns = input.columns();
  result.codes.resize(input.values.size());
  for (size_t begin = 0; begin < input.values.size();
       begin += kActivationGroup) {
    const float *x = &input.values[begin];
    float absmax = 0;
    for (int64_t k = 0; k < kActivationGroup; ++k)
      absmax = std::max(absmax, std::fabs(x[k]));
    float scale = absmax < kSmallestAbsmax ? 0.0f : absmax / 127.0f;
    result.scales.push_back(scale);
    if (scale == 0) continue;
    float inverse = 1.0f / scale;
    for (int64_t k = 0; k < kActivationGroup; ++k) {
      float rounded = std::nearbyint(x[k] * inverse);
      result.codes[begin + k] = std::clamp(rounded, -127.0f, 127.0f);
    }
  }
  return result;
}

Tensor reference::matmul(const Activations &input, const Weight &weight) {
  const CodeDescriptor &descriptor = *weight.format().codes();
  Tensor result({input.rows, weight.rows()});
  std::vector<CodeBlock> blocks(weight.columns() / descriptor.superBlock);
  std::vector<uint8_t> storage;
  for (int64_t n = 0; n < weight.rows(); ++n) {
    const uint8_t *stored = weight.readRow(n, storage);
    for (CodeBlock &block : blocks) {
      weight.format().parse(stored, block);
      stored += weight.format().blockBytes();
    }
    for (int64_t t = 0; t < input.rows; ++t) {
      float acc = 0;
      for (size_t b = 0; b < blocks.size(); ++b) {
        int64_t column = b * descriptor.superBlock;
        acc = accumulateBlock(descriptor, blocks[b], input.rowCodes(t) + column,
                              input.rowScales(t) + column / kActivationGroup,
                              acc);
      }
      result.row(t)[n] = acc;
    }
  }
  return result;
}
