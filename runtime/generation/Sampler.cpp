// SPDX-License-Identifier: Apache-2.0
// The maxima of blocks (Scores.h) lead to the few hundred candidates of 262144
// that top-k, top-p and min-p can keep, and only as many are sorted as top-p
// needs. The exponentials are ours (Exp.h), the random numbers too (Random.h).
// No state passes from one token to the next.
#include "runtime/generation/Sampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

#include "runtime/generation/Exp.h"
#include "runtime/generation/Random.h"

namespace gemma {
namespace {

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
  for (int32_t id : history)
    if (Scores::Change *change = scores.change(id)) ++change->count;
  for (auto &[id, score, count] : scores.changes()) {
    if (count == 0 || score == Scores::kNever) continue;
    score = score < 0 ? score * chosen.repetitionPenalty
                      : score / chosen.repetitionPenalty;
    score -= chosen.presencePenalty;
    score -= chosen.frequencyPenalty * static_cast<double>(count);
  }
}

// The candidates are the scores that top-k leaves; returns their weights' sum.
double Sampler::collectTopK(double largest) {
  auto k = static_cast<size_t>(chosen.topK);
  scores.collect(scores.belowKth(k), candidates);
  // Fewer than k are left where the others can never be drawn.
  if (candidates.size() > k) {
    std::vector<double> most;
    for (const Candidate &candidate : candidates)
      most.push_back(candidate.score);
    std::nth_element(most.begin(), most.begin() + (k - 1), most.end(),
                     std::greater<>());
    double least = most[k - 1];
    std::erase_if(candidates, [&](const Candidate &candidate) {
      return candidate.score < least;
    });
  }
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += exactExp((candidate.score - largest) / chosen.temperature);
  return total;
}

// The candidates are the scores that top-p and min-p can keep of all: those
// near the largest, as long as they reach topP of the total.
void Sampler::collectLikely(double largest, double total) {
  if (chosen.topP >= 1.0) {
    // The logarithm may differ by machine, by less than this.
    constexpr double kSlack = 1e-6;
    double reach = kSlack - std::log(std::min(chosen.minP, 1.0));
    return scores.collect(largest - reach * chosen.temperature, candidates);
  }
  for (double reach : {8.0, 20.0, -Scores::kNever}) {
    scores.collect(largest - reach * chosen.temperature, candidates);
    double sum = 0;
    for (const Candidate &candidate : candidates)
      sum += exactExp((candidate.score - largest) / chosen.temperature);
    if (sum >= chosen.topP * total) return;
  }
}

// Drops the candidates, weights by now, behind the fewest that reach topP of
// the total. Sorts as many as that takes.
void Sampler::keepTopP(double total) {
  auto before = [](const Candidate &a, const Candidate &b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  };
  auto begin = candidates.begin();
  size_t count = candidates.size(), sorted = 0, at = 0;
  double sum = 0;
  while (at < count) {
    if (at == sorted) {
      sorted = std::min(count, std::max(kFirstSorted, sorted * 8));
      std::partial_sort(begin + at, begin + sorted, candidates.end(), before);
    }
    sum += candidates[at++].score;
    if (sum >= chosen.topP * total) break;
  }
  candidates.resize(at);
}

int32_t Sampler::sample(std::span<const float> logits,
                        std::span<const int32_t> history, uint64_t draw) {
  scores.load(logits);
  penalize(history);
  for (int32_t id : chosen.suppressed)
    if (Scores::Change *change = scores.change(id))
      change->score = Scores::kNever;
  scores.findMaxima();
  double largest = scores.largest();
  // No finite score, or an infinite one: there is no distribution.
  if (isGreedy() || !std::isfinite(largest)) return scores.argMax();

  double uniform = uniformDraw(chosen.seed, draw), total = 0;
  bool limited =
      chosen.topK > 0 && static_cast<size_t>(chosen.topK) < logits.size();
  bool all = chosen.topP >= 1.0 && chosen.minP <= 0;
  if (limited) {
    total = collectTopK(largest);
  } else {
    if (chosen.topP < 1.0 || all)
      total = scores.weigh(largest, chosen.temperature);
    if (all) return scores.at(uniform * total, largest, chosen.temperature);
    collectLikely(largest, total);
  }
  for (Candidate &candidate : candidates)
    candidate.score =
        exactExp((candidate.score - largest) / chosen.temperature);
  if (chosen.topP < 1.0) keepTopP(total);
  // The largest score has the weight 1.
  double least = std::min(chosen.minP, 1.0);
  std::erase_if(candidates, [&](const Candidate &candidate) {
    return candidate.score < least;
  });
  total = 0;
  for (const Candidate &candidate : candidates) total += candidate.score;
  double target = uniform * total, sum = 0;
  for (const Candidate &candidate : candidates) {
    sum += candidate.score;
    if (target < sum) return candidate.id;
  }
  // The largest score is kept by each of the three.
  assert(!candidates.empty());
  // Rounding left the target at the end.
  return candidates.back().id;
}

}  // namespace gemma
