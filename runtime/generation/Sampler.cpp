// Sampling in O(V) per token: candidates are selected, and only as many are
// sorted as top-p needs. The exponentials are ours (Exp.h), the random numbers
// too (Random.h). No state passes from one token to the next.
#include "runtime/generation/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "runtime/generation/Exp.h"
#include "runtime/generation/Random.h"

namespace gemma {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// How many candidates are sorted at first: most distributions need fewer.
constexpr size_t kFirstSorted = 256;

// The lowest id of the largest logit; NaN never wins. The largest is found 16
// at a time, then its place: 262144 logits take 40 us, a tenth of the way
// through scores in double.
int32_t largestLogit(std::span<const float> logits) {
  constexpr size_t kLanes = 16;
  float most[kLanes];
  for (float &value : most) value = -std::numeric_limits<float>::infinity();
  size_t whole = logits.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) {
      float value = logits[i + lane];
      most[lane] = value > most[lane] ? value : most[lane];
    }
  float largest = *std::max_element(most, most + kLanes);
  for (float value : logits.subspan(whole))
    largest = value > largest ? value : largest;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] == largest) return static_cast<int32_t>(i);
  return 0;
}

}  // namespace

SamplerOptions samplerDefaults(const GenerationDefaults &stated) {
  SamplerOptions options;
  options.doSample = stated.doSample.value_or(options.doSample);
  options.temperature = stated.temperature.value_or(options.temperature);
  options.topK = stated.topK.value_or(options.topK);
  options.topP = stated.topP.value_or(options.topP);
  options.minP = stated.minP.value_or(options.minP);
  options.repetitionPenalty =
      stated.repetitionPenalty.value_or(options.repetitionPenalty);
  options.suppressed = stated.suppressedTokens;
  return options;
}

void Sampler::loadScores(std::span<const float> logits,
                         std::span<const int32_t> history) {
  scores.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    // A NaN must not win: comparisons with it are false both ways.
    double logit = logits[i];
    scores[i] = std::isnan(logit) ? kNever : logit;
  }
  for (int32_t id : chosen.suppressed)
    if (id >= 0 && static_cast<size_t>(id) < scores.size()) scores[id] = kNever;
  penalize(history);
}

bool Sampler::penalizes() const {
  return chosen.repetitionPenalty != 1.0 || chosen.presencePenalty != 0 ||
         chosen.frequencyPenalty != 0;
}

bool Sampler::changesScores() const {
  return penalizes() || !chosen.suppressed.empty();
}

void Sampler::penalize(std::span<const int32_t> history) {
  if (!penalizes()) return;
  if (chosen.repeatLastN >= 0 &&
      static_cast<size_t>(chosen.repeatLastN) < history.size())
    history = history.last(chosen.repeatLastN);
  std::map<int32_t, int64_t> counts;
  for (int32_t id : history)
    if (id >= 0 && static_cast<size_t>(id) < scores.size()) ++counts[id];
  for (auto [id, count] : counts) {
    double &score = scores[id];
    if (score == kNever) continue;
    score = score < 0 ? score * chosen.repetitionPenalty
                      : score / chosen.repetitionPenalty;
    score -= chosen.presencePenalty;
    score -= chosen.frequencyPenalty * static_cast<double>(count);
  }
}

int32_t Sampler::argMax() const {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i)
    if (scores[i] > scores[best]) best = i;
  return static_cast<int32_t>(best);
}

// The least score that top-k leaves.
double Sampler::leastOfTopK() const {
  auto k = static_cast<size_t>(std::max<int64_t>(0, chosen.topK));
  if (k == 0 || k >= scores.size()) return kNever;
  // A heap of the k largest: most scores fail its first comparison.
  std::vector<double> heap(scores.begin(), scores.begin() + k);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  for (size_t i = k; i < scores.size(); ++i) {
    if (!(scores[i] > heap.front())) continue;
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.back() = scores[i];
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  return heap.front();
}

// The sum of the weights exp(score - largest) of all scores from `least` on, in
// lanes: one chain of 262144 additions would wait for each.
double Sampler::totalWeight(double least, double largest) const {
  constexpr size_t kLanes = 8;
  double sums[kLanes] = {};
  auto weight = [&](double score) {
    double value = exactExp(score - largest);
    return score >= least ? value : 0.0;
  };
  size_t whole = scores.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += weight(scores[i + lane]);
  for (size_t i = whole; i < scores.size(); ++i)
    sums[i - whole] += weight(scores[i]);
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

// Fills `candidates`, in order of id, with the scores from `least` on that
// top-p and min-p can keep: those near the largest, as long as they reach
// topP of the total. A few hundred of 262144, most of the time.
void Sampler::collect(double least, double largest, double total) {
  for (double reach : {8.0, 20.0, -kNever}) {
    double from = std::max(least, largest - reach), sum = 0;
    candidates.clear();
    for (size_t i = 0; i < scores.size(); ++i)
      if (scores[i] >= from && scores[i] != kNever) {
        candidates.push_back({scores[i], static_cast<int32_t>(i)});
        if (chosen.topP < 1.0) sum += exactExp(scores[i] - largest);
      }
    // Behind the reach there is no weight above its exponential.
    bool enough = chosen.topP < 1.0 ? sum >= chosen.topP * total
                                    : chosen.minP > exactExp(-reach);
    if (enough) return;
  }
}

// Sorts as many candidates as top-p needs and returns how many it keeps: the
// fewest whose probabilities reach topP. `total` is the sum of all weights.
// Turns scores into weights on the way, for the candidates that are kept.
size_t Sampler::keepTopP(double total, double largest) {
  auto before = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  auto begin = candidates.begin();
  size_t count = candidates.size(), sorted = 0, at = 0;
  double sum = 0;
  while (at < count) {
    if (at == sorted) {
      sorted = std::min(count, std::max(kFirstSorted, sorted * 8));
      std::partial_sort(begin + at, begin + sorted, candidates.end(), before);
    }
    double weight = exactExp(candidates[at].logit - largest);
    candidates[at++].logit = weight;
    sum += weight;
    if (sum >= chosen.topP * total) break;
  }
  return at;
}

size_t Sampler::keepMinP(size_t count) const {
  if (chosen.minP <= 0) return count;
  // Weights are in decreasing order.
  double least = chosen.minP * candidates[0].logit;
  while (count > 1 && candidates[count - 1].logit < least) --count;
  return count;
}

int32_t Sampler::sample(std::span<const float> logits,
                        std::span<const int32_t> history, uint64_t draw) {
  if (isArgMax()) return largestLogit(logits);
  loadScores(logits, history);
  if (isGreedy()) return argMax();
  for (double &score : scores) score /= chosen.temperature;
  double largest = *std::max_element(scores.begin(), scores.end());
  // No finite score, or an infinite one: there is no distribution.
  if (!std::isfinite(largest)) return argMax();
  double least = leastOfTopK();
  double total = totalWeight(least, largest);
  collect(least, largest, total);
  bool all = chosen.topP >= 1.0 && chosen.minP <= 0;
  size_t count = candidates.size();
  if (all) {
    for (Candidate &candidate : candidates)
      candidate.logit = exactExp(candidate.logit - largest);
  } else {
    count = keepMinP(keepTopP(total, largest));
    total = 0;
    for (size_t i = 0; i < count; ++i) total += candidates[i].logit;
  }
  double target = uniformDraw(chosen.seed, draw) * total, sum = 0;
  for (size_t i = 0; i < count; ++i) {
    sum += candidates[i].logit;
    if (target < sum) return candidates[i].id;
  }
  // Rounding left the target at the end.
  return candidates[count - 1].id;
}

}  // namespace gemma
