// SPDX-License-Identifier: Apache-2.0
// The sampler's flags, as llama.cpp names them, and --stop: flags -> options.
// The same numbers have names in JSON (--jsonl), as the OpenAI API's.
#ifndef GEMMA_RUNTIME_APP_SAMPLINGFLAGS_H
#define GEMMA_RUNTIME_APP_SAMPLINGFLAGS_H

#include <span>
#include <string>
#include <vector>

#include "runtime/app/Arguments.h"
#include "runtime/generation/Sampler.h"

namespace gemma {

std::span<const Flag> samplingFlags();

// Sampling flags over `options`, which hold the checkpoint's. Without --seed
// the seed is random.
Status readSampling(const Arguments &arguments, SamplerOptions &options);

// Whether readSampling will take them, before there is a model.
Status checkSampling(const Arguments &arguments);

// The sampling flags that are numbers, with their names in JSON.
struct SamplingNumber {
  const char *flag, *field;
  double least, most;
  double SamplerOptions::*to;
};
std::span<const SamplingNumber> samplingNumbers();

// Each --stop.
Status readStops(const Arguments &arguments, std::vector<std::string> &stops);
inline constexpr Flag kStopFlag = {
    "--stop", 0, "TEXT", "end an answer before this text (repeatable)"};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_SAMPLINGFLAGS_H
