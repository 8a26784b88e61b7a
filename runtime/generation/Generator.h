// SPDX-License-Identifier: Apache-2.0
// Generator: a fed session -> a streamed answer. Samples, feeds and decodes
// token by token until a stop id, a stop text, the limit, the end of the
// context or a cancellation; several answers can share the passes. Text arrives
// in whole characters. It adds no template.
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
  // Texts that end an answer, none of them empty; they are no part of it.
  std::vector<std::string> stopTexts;
  // Never sample a stop id, instead of stopping at it.
  bool ignoreStops = false;
  SamplerOptions sampling;
};

struct GenerationResult {
  std::string text;
  std::vector<int32_t> tokens;  // without the stop id
  FinishReason reason = FinishReason::Length;
  // A stop text ended it: `tokens` spell more than `text`.
  bool cutAtText = false;
  int64_t promptTokens = 0;  // of the whole prompt
  int64_t reusedTokens = 0;  // of it, already in the cache
  double promptSeconds = 0;  // until the first token is known
  double answerSeconds = 0;  // from then on
};

// Gets each piece of text; false ends the answer as cancelled.
using TextCallback = std::function<bool(std::string_view text)>;

// Gets how many of the prompt's tokens the session holds, of how many.
using PromptCallback = std::function<void(int64_t done, int64_t total)>;

// What watches an answer; each may be missing.
struct Listener {
  TextCallback text;
  PromptCallback prompt;
  const std::atomic<bool> *cancel = nullptr;
};

// Cuts streamed text at the first stop text, and holds back what may yet
// become one.
class StopFinder {
 public:
  explicit StopFinder(const std::vector<std::string> &texts) : texts(texts) {}

  // `text` has grown. True: it held a stop text and is now cut before it.
  bool find(std::string &text);
  // Bytes of `text` that no continuation can take back.
  size_t certain(std::string_view text) const;

 private:
  const std::vector<std::string> &texts;
  size_t searched = 0;  // no stop text begins before this byte
};

// One answer in the making. All references must outlive it.
class Answer {
 public:
  // The result holds what the answer has so far.
  Answer(Session &session, const GenerationOptions &options,
         const Listener &listener, GenerationResult &result);

  // Makes the session hold `prompt`, reusing the longest common prefix of what
  // it holds, and samples the first token.
  Status begin(std::span<const int32_t> prompt);
  bool finished() const { return done; }

  // One token for each of `answers`, none of them finished and all of one
  // engine, in one pass. Which answers share it changes none of them. At most
  // maxRows() of the engine.
  static Status step(Engine &engine, std::span<Answer *const> answers);

 private:
  Status feedPrompt(std::span<const int32_t> prompt);
  void sample(std::span<const float> logits);
  void choose(int32_t token);
  void take();
  bool emit();
  void finish(FinishReason reason);

  Session &session;
  const GenerationOptions &options;
  const Listener &listener;
  GenerationResult &result;
  Sampler sampler;
  StreamDecoder decoder;
  StopFinder stops;
  size_t emitted = 0;  // bytes of the text
  int32_t next = 0;
  bool sampled = false, done = false;
  double start = 0, known = 0;
};

// A whole answer: the session then holds the prompt and all tokens but perhaps
// the last. Its tokenizer may hold none: then there is no text. A cancelled
// prompt gives no token.
Status generate(Session &session, std::span<const int32_t> prompt,
                const GenerationOptions &options, const Listener &listener,
                GenerationResult &result);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_GENERATOR_H
