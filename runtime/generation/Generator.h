// Generator: a fed session -> a streamed answer. Samples, feeds and decodes
// token by token until a stop id, the limit, the end of the context or a
// cancellation. Text arrives in whole characters. It adds no template.
#ifndef GEMMA_RUNTIME_GENERATION_GENERATOR_H
#define GEMMA_RUNTIME_GENERATION_GENERATOR_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/generation/Sampler.h"
#include "runtime/model/Session.h"
#include "runtime/model/Status.h"

namespace gemma {

enum class FinishReason { Stop, Length, Cancelled };

// "stop", "length" or "cancelled".
const char *finishReasonName(FinishReason reason);

struct GenerationOptions {
  int64_t maxTokens = 512;
  std::vector<int32_t> stopIds;
  // Never sample a stop id, instead of stopping at it.
  bool ignoreStops = false;
  SamplerOptions sampling;
};

struct GenerationResult {
  std::string text;
  std::vector<int32_t> tokens;  // without the stop id
  FinishReason reason = FinishReason::Length;
  int64_t promptTokens = 0;  // of the whole prompt
  int64_t reusedTokens = 0;  // of it, already in the cache
  double promptSeconds = 0;  // until the first token is known
  double answerSeconds = 0;  // from then on
};

// Gets each piece of text; false ends the answer as cancelled.
using TextCallback = std::function<bool(std::string_view text)>;

// Makes `session` hold `prompt` (reusing the longest common prefix of what it
// holds) and generates. The session then holds the prompt and all tokens but
// perhaps the last. `tokenizer` may hold none: then there is no text.
Status generate(Session &session, std::span<const int32_t> prompt,
                const GenerationOptions &options, const TextCallback &text,
                const std::atomic<bool> *cancel, GenerationResult &result);

// Seconds of a clock that never goes back.
double monotonicSeconds();

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_GENERATOR_H
