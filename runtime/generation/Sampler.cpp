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

void Sampler::penalize(std::span<const int32_t> history) {
  bool repetition = chosen.repetitionPenalty != 1.0;
  bool counted = chosen.presencePenalty != 0 || chosen.frequencyPenalty != 0;
  if (!repetition && !counted) return;
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

// Fills `candidates` with what top-k leaves, in order of id, and returns the
// largest score.
double Sampler::keepTopK() {
  candidates.clear();
  double largest = kNever, least = kNever;
  for (double score : scores) largest = std::max(largest, score);
  auto k = static_cast<size_t>(std::max<int64_t>(0, chosen.topK));
  if (k > 0 && k < scores.size()) {
    // A heap of the k largest: most scores fail its first comparison.
    std::vector<double> heap(scores.begin(), scores.begin() + k);
    std::make_heap(heap.begin(), heap.end(), std::greater<>());
    for (size_t i = k; i < scores.size(); ++i) {
      if (!(scores[i] > heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      heap.back() = scores[i];
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
    least = heap.front();
  }
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] >= least && scores[i] != kNever)
      candidates.push_back({scores[i], static_cast<int32_t>(i)});
  return largest;
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
  loadScores(logits, history);
  if (!chosen.doSample || !(chosen.temperature > 0)) return argMax();
  for (double &score : scores) score /= chosen.temperature;
  double largest = keepTopK();
  // No finite score, or an infinite one: there is no distribution.
  if (!std::isfinite(largest)) return argMax();
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += exactExp(candidate.logit - largest);
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
