// SPDX-License-Identifier: Apache-2.0
// Tables of the sampler's flags, and what they set.
#include "runtime/app/SamplingFlags.h"

#include <sys/random.h>

namespace gemma {
namespace {

constexpr Flag kSamplingFlags[] = {
    {"--temp", 0, "X", "temperature; 0 is greedy"},
    {"--top-k", 0, "N", "sample among the N most likely; 0 is all"},
    {"--top-p", 0, "X", "… among those that reach this probability; 1 is all"},
    {"--min-p", 0, "X", "… among those within this share of the likeliest"},
    {"--repeat-penalty", 0, "X", "divide repeated tokens' logits; 1 is off"},
    {"--repeat-last-n", 0, "N", "tokens that penalties see; -1 is all"},
    {"--presence-penalty", 0, "X", "subtract from repeated tokens' logits"},
    {"--frequency-penalty", 0, "X", "… for each time they occurred"},
    {"--seed", 's', "N", "seed of the random numbers (default: random)"},
    {"--greedy", 0, nullptr, "the likeliest token, without penalties"},
};

constexpr SamplingNumber kSamplingNumbers[] = {
    {"--temp", "temperature", 0, 100, &SamplerOptions::temperature},
    {"--top-p", "top_p", 0, 1, &SamplerOptions::topP},
    {"--min-p", "min_p", 0, 1, &SamplerOptions::minP},
    {"--repeat-penalty", "repetition_penalty", 0.01, 100,
     &SamplerOptions::repetitionPenalty},
    {"--presence-penalty", "presence_penalty", -100, 100,
     &SamplerOptions::presencePenalty},
    {"--frequency-penalty", "frequency_penalty", -100, 100,
     &SamplerOptions::frequencyPenalty},
};

}  // namespace

std::span<const Flag> samplingFlags() { return kSamplingFlags; }

std::span<const SamplingNumber> samplingNumbers() { return kSamplingNumbers; }

Status readSampling(const Arguments &arguments, SamplerOptions &options) {
  bool greedy = arguments.isSet("--greedy");
  if (greedy) {
    options.doSample = false;
    options.repetitionPenalty = 1;
  }
  for (const SamplingNumber &number : kSamplingNumbers) {
    Status status = arguments.number(number.flag, number.least, number.most,
                                     options.*number.to);
    if (!status.ok()) return status;
  }
  // A checkpoint that says do_sample false means its default, not a user's
  // flag.
  for (const char *name : {"--temp", "--top-k", "--top-p", "--min-p"})
    if (arguments.isSet(name) && !greedy) options.doSample = true;
  int64_t seed = -1;
  Status status = arguments.integer("--top-k", 0, INT32_MAX, options.topK);
  if (status.ok())
    status = arguments.integer("--repeat-last-n", -1, INT32_MAX,
                               options.repeatLastN);
  if (status.ok()) status = arguments.integer("--seed", -1, INT64_MAX, seed);
  if (!status.ok()) return status;
  options.seed = static_cast<uint64_t>(seed);
  if (seed < 0 && getrandom(&options.seed, sizeof(options.seed), 0) !=
                      static_cast<ssize_t>(sizeof(options.seed)))
    return Status(Code::Io, "the system gave no random seed: use --seed");
  return {};
}

Status checkSampling(const Arguments &arguments) {
  SamplerOptions unused;
  return readSampling(arguments, unused);
}

Status readStops(const Arguments &arguments, std::vector<std::string> &stops) {
  stops = arguments.texts("--stop");
  for (const std::string &stop : stops)
    if (stop.empty())
      return Status(Code::Usage, "--stop: expected a text, found an empty one");
  return {};
}

}  // namespace gemma
