// SPDX-License-Identifier: Apache-2.0
// The scores of one step: the model's logits [V] where they lie, and apart from
// them the few that suppression and penalties changed. Read in blocks of 64,
// whose maxima are found once: most questions then look into a few blocks. A
// NaN is a score that never wins.
#ifndef GEMMA_RUNTIME_GENERATION_SCORES_H
#define GEMMA_RUNTIME_GENERATION_SCORES_H

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace gemma {

struct Candidate {
  double score;
  int32_t id;
};

class Scores {
 public:
  static constexpr double kNever = -std::numeric_limits<double>::infinity();

  struct Change {
    int32_t id;
    double score;   // the logit at first
    int64_t count;  // for whoever changes it
  };

  // `logits` must live until the next load. Drops all changes.
  void load(std::span<const float> logits);
  // The score of `id`, to be changed; null for an id outside [0, V).
  Change *change(int32_t id);
  std::span<Change> changes() { return changed; }
  // After the last change, before the questions below.
  void findMaxima();

  double largest() const;
  // The lowest id of the largest score; 0 where no score is above kNever.
  int32_t argMax() const;
  // At least `k` scores are as large as this one; the k-th largest is not much
  // larger.
  double belowKth(size_t k) const;
  // Fills `into` with the scores from `least` on, never kNever.
  void collect(double least, std::vector<Candidate> &into) const;

  // The weights exp((score - largest) / temperature) of all scores, summed: in
  // float per block, as each is small, and in double over the blocks; within
  // 1e-5 of the true sum. One fixed order, so the same bits everywhere.
  double weigh(double largest, double temperature);
  // After weigh: the id at `target` within its sum, in the order of blocks and
  // then changes; argMax() for a target that no weight reaches.
  int32_t at(double target, double largest, double temperature) const;

 private:
  static constexpr size_t kBlock = 64;

  const float *block(size_t index, float (&copy)[kBlock]) const;
  bool isPlain(size_t index) const;

  std::span<const float> logits;
  std::vector<Change> changed;
  std::vector<uint32_t> changeOf;  // of an id, from 1 on; 0 is none
  std::vector<uint8_t> touched;    // of a block: whether it holds a change
  std::vector<float> maxima;       // of a block, without its changes
  std::vector<float> weights;      // likewise
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_SCORES_H
