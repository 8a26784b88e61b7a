// SPDX-License-Identifier: Apache-2.0
// Sampler: logits [V] -> the next token. In this order, which is that of
// Hugging Face transformers' processors and warpers (the two penalties of the
// OpenAI API stand behind the repetition penalty):
//   suppressed tokens -> repetition penalty -> presence and frequency penalty
//   -> temperature -> top-k -> top-p -> min-p -> draw
// Everything is computed in one fixed order, and in double but for the sum of
// all weights (Scores::weigh): same logits, history, options and seed give the
// same token on every machine. It keeps no tokens.
// Source: transformers 5, generation/logits_process.py.
#ifndef GEMMA_RUNTIME_GENERATION_SAMPLER_H
#define GEMMA_RUNTIME_GENERATION_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/generation/Scores.h"
#include "runtime/model/Metadata.h"

namespace gemma {

struct SamplerOptions {
  // False: the largest logit after suppression and penalties; ties go to the
  // lowest id.
  bool doSample = true;
  double temperature = 0.7;  // 0: as doSample false
  int64_t topK = 0;          // 0: all; ties with the k-th are kept
  double topP = 0.9;         // 1: all
  double minP = 0;           // of the most probable token's; 0: all
  double repetitionPenalty = 1.05;
  int64_t repeatLastN = -1;  // tokens that the penalties see; -1: all, 0: none
  double presencePenalty = 0;
  double frequencyPenalty = 0;
  uint64_t seed = 0;
  std::vector<int32_t> suppressed;
};

// The defaults above, overridden by what the checkpoint states.
SamplerOptions samplerDefaults(const GenerationDefaults &stated);

class Sampler {
 public:
  explicit Sampler(SamplerOptions options) : chosen(std::move(options)) {}

  // The next token after `history` (prompt and answer). `draw` numbers the
  // draws of one answer: it and the seed alone decide the random number.
  int32_t sample(std::span<const float> logits,
                 std::span<const int32_t> history, uint64_t draw);

  // Whether sample() is the arg-max of the logits: the largest, the lowest id
  // of equals, with nothing suppressed or penalized.
  bool isArgMax() const { return isGreedy() && !changesScores(); }

  const SamplerOptions &options() const { return chosen; }
  void setSeed(uint64_t seed) { chosen.seed = seed; }

 private:
  bool isGreedy() const {
    return !chosen.doSample || !(chosen.temperature > 0);
  }
  bool penalizes() const;
  bool changesScores() const;
  void penalize(std::span<const int32_t> history);
  double collectTopK(double largest);
  void collectLikely(double largest, double total);
  void keepTopP(double total);

  SamplerOptions chosen;
  Scores scores;
  // What may be drawn: scores, then weights. The memory is reused.
  std::vector<Candidate> candidates;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_SAMPLER_H
