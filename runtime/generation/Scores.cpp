// SPDX-License-Identifier: Apache-2.0
#include "runtime/generation/Scores.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

#include "runtime/generation/Exp.h"

namespace gemma {
namespace {

constexpr float kLow = -std::numeric_limits<float>::infinity();

// Chains of sums and maxima side by side, four of SSE2's vectors.
constexpr size_t kLanes = 16;

// Blocks whose largest exponent is below it weigh nothing: 262144 such scores
// are 1.4e-6 of the total.
constexpr float kNegligible = -26;

}  // namespace

void Scores::load(std::span<const float> values) {
  size_t blocks = (values.size() + kBlock - 1) / kBlock;
  for (const Change &change : changed) {
    changeOf[change.id] = 0;
    touched[change.id / kBlock] = 0;
  }
  changed.clear();
  logits = values;
  changeOf.resize(values.size());
  touched.resize(blocks);
  maxima.resize(blocks);
}

Scores::Change *Scores::change(int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= logits.size()) return nullptr;
  uint32_t &at = changeOf[id];
  if (at == 0) {
    double logit = logits[id];
    changed.push_back({id, std::isnan(logit) ? kNever : logit, 0});
    at = static_cast<uint32_t>(changed.size());
    touched[id / kBlock] = 1;
  }
  assert(at <= changed.size() && changed[at - 1].id == id);
  return &changed[at - 1];
}

bool Scores::isPlain(size_t index) const {
  return !touched[index] && (index + 1) * kBlock <= logits.size();
}

// The logits of a block: their own place, or `copy` with kLow where there is a
// change or no logit.
const float *Scores::block(size_t index, float (&copy)[kBlock]) const {
  size_t first = index * kBlock;
  if (isPlain(index)) return logits.data() + first;
  for (size_t i = 0; i < kBlock; ++i) {
    bool own = first + i < logits.size() && changeOf[first + i] == 0;
    copy[i] = own ? logits[first + i] : kLow;
  }
  return copy;
}

void Scores::findMaxima() {
  for (size_t b = 0; b < maxima.size(); ++b) {
    float copy[kBlock], most[kLanes];
    const float *values = block(b, copy);
    for (float &value : most) value = kLow;
    for (size_t i = 0; i < kBlock; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane) {
        float value = values[i + lane];
        most[lane] = value > most[lane] ? value : most[lane];
      }
    maxima[b] = *std::max_element(most, most + kLanes);
  }
}

double Scores::largest() const {
  double most = kNever;
  for (float value : maxima) most = std::max<double>(most, value);
  for (const Change &change : changed) most = std::max(most, change.score);
  return most;
}

int32_t Scores::argMax() const {
  double most = largest();
  if (most == kNever) return 0;
  int32_t lowest = std::numeric_limits<int32_t>::max();
  for (const Change &change : changed)
    if (change.score == most) lowest = std::min(lowest, change.id);
  size_t b = std::find(maxima.begin(), maxima.end(), most) - maxima.begin();
  if (b == maxima.size()) return lowest;
  float copy[kBlock];
  const float *values = block(b, copy);
  auto inBlock = std::find(values, values + kBlock, most) - values;
  return std::min(lowest, static_cast<int32_t>(b * kBlock + inBlock));
}

double Scores::belowKth(size_t k) const {
  // Each block gives one score at least as large as its maximum, each change
  // one more.
  if (k == 0 || k > maxima.size()) return kNever;
  std::vector<float> most = maxima;
  std::nth_element(most.begin(), most.begin() + (k - 1), most.end(),
                   std::greater<>());
  return most[k - 1];
}

void Scores::collect(double least, std::vector<Candidate> &into) const {
  into.clear();
  auto take = [&](double score, size_t id) {
    if (score >= least && score != kNever)
      into.push_back({score, static_cast<int32_t>(id)});
  };
  for (size_t b = 0; b < maxima.size(); ++b) {
    if (!(maxima[b] >= least)) continue;
    float copy[kBlock];
    const float *values = block(b, copy);
    for (size_t i = 0; i < kBlock; ++i) take(values[i], b * kBlock + i);
  }
  for (const Change &change : changed) take(change.score, change.id);
}

double Scores::weigh(double largest, double temperature) {
  auto top = static_cast<float>(largest);
  auto scale = static_cast<float>(1 / temperature);
  // What `top` lost of a changed score, which is a double.
  auto lost = static_cast<float>(exactExp((top - largest) / temperature));
  weights.resize(maxima.size());
  double total = 0;
  for (size_t b = 0; b < maxima.size(); ++b) {
    weights[b] = 0;
    if ((maxima[b] - top) * scale < kNegligible) continue;
    float copy[kBlock], sums[kLanes] = {};
    const float *values = block(b, copy);
    for (size_t i = 0; i < kBlock; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane)
        sums[lane] += exactExpf((values[i + lane] - top) * scale);
    float sum = 0;
    for (float part : sums) sum += part;
    weights[b] = sum * lost;
    total += weights[b];
  }
  for (const Change &change : changed)
    total += exactExp((change.score - largest) / temperature);
  return total;
}

int32_t Scores::at(double target, double largest, double temperature) const {
  double sum = 0;
  for (size_t b = 0; b < weights.size(); ++b) {
    if (target >= sum + weights[b]) {
      sum += weights[b];
      continue;
    }
    float copy[kBlock];
    const float *values = block(b, copy);
    size_t last = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      if (!(values[i] > kLow)) continue;
      sum += exactExp((values[i] - largest) / temperature);
      last = i;
      if (target < sum) break;
    }
    // Where the sum in double is the smaller one, the block's last score.
    return static_cast<int32_t>(b * kBlock + last);
  }
  for (const Change &change : changed) {
    sum += exactExp((change.score - largest) / temperature);
    if (target < sum) return change.id;
  }
  return argMax();
}

}  // namespace gemma
