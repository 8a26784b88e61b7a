// The generation loop. The last prompt token is always run, for its logits, so
// at least one token of a reused prefix is fed again.
#include "runtime/generation/Generator.h"

#include <time.h>

#include <algorithm>
#include <string>

namespace gemma {
namespace {

bool isSet(const std::atomic<bool> *flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

bool contains(const std::vector<int32_t> &ids, int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Rewinds to the longest prefix that `session` and `prompt` share, less one if
// that is the whole prompt. A cancelled rewind leaves a shorter one.
Status keepCommonPrefix(Session &session, std::span<const int32_t> prompt,
                        const std::atomic<bool> *cancel, int64_t &reused) {
  auto held = session.history();
  size_t most = std::min(held.size(), prompt.size() - 1), same = 0;
  while (same < most && held[same] == prompt[same]) ++same;
  bool free = session.canRewindFreely(static_cast<int32_t>(same));
  reused = free ? static_cast<int64_t>(same) : 0;
  // Running the prefix again is the same work as feeding it.
  return session.rewind(static_cast<int32_t>(reused), cancel);
}

// The loop's own state.
class Loop {
 public:
  Loop(Session &session, const GenerationOptions &options,
       const TextCallback &text, const std::atomic<bool> *cancel,
       GenerationResult &result)
      : session(session),
        options(options),
        text(text),
        cancel(cancel),
        result(result),
        sampler(samplerOptions(options)),
        decoder(session.engine().model().tokenizer()) {}

  Status feed(std::span<const int32_t> tokens) {
    return session.feed(
        tokens, Wanted::Last,
        [this](size_t, std::span<const float> logits) {
          next =
              sampler.sample(logits, session.history(), result.tokens.size());
          sampled = true;
        },
        0, cancel);
  }

  Status run() {
    for (;;) {
      if (!sampled) return finish(FinishReason::Cancelled);
      sampled = false;
      if (contains(options.stopIds, next)) return finish(FinishReason::Stop);
      result.tokens.push_back(next);
      if (!emit()) return finish(FinishReason::Cancelled);
      bool full = session.position() >= session.context();
      if (static_cast<int64_t>(result.tokens.size()) >= options.maxTokens ||
          full)
        return finish(FinishReason::Length);
      if (isSet(cancel)) return finish(FinishReason::Cancelled);
      Status status = feed({&next, 1});
      if (!status.ok()) return status;
    }
  }

  Status finish(FinishReason reason) {
    result.reason = reason;
    size_t before = result.text.size();
    if (session.engine().model().tokenizer().isLoaded())
      decoder.finish(result.text);
    if (text && result.text.size() > before)
      text(std::string_view(result.text).substr(before));
    return {};
  }

 private:
  static SamplerOptions samplerOptions(const GenerationOptions &options) {
    SamplerOptions sampling = options.sampling;
    if (options.ignoreStops)
      sampling.suppressed.insert(sampling.suppressed.end(),
                                 options.stopIds.begin(),
                                 options.stopIds.end());
    return sampling;
  }

  bool emit() {
    if (!session.engine().model().tokenizer().isLoaded()) return true;
    size_t before = result.text.size();
    decoder.append(next, result.text);
    if (!text || result.text.size() == before) return true;
    return text(std::string_view(result.text).substr(before));
  }

  Session &session;
  const GenerationOptions &options;
  const TextCallback &text;
  const std::atomic<bool> *cancel;
  GenerationResult &result;
  Sampler sampler;
  StreamDecoder decoder;
  int32_t next = 0;
  bool sampled = false;
};

}  // namespace

const char *finishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::Stop:
      return "stop";
    case FinishReason::Length:
      return "length";
    case FinishReason::Cancelled:
      return "cancelled";
  }
  return "";
}

double monotonicSeconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

Status generate(Session &session, std::span<const int32_t> prompt,
                const GenerationOptions &options, const TextCallback &text,
                const std::atomic<bool> *cancel, GenerationResult &result) {
  result = {};
  if (prompt.empty()) return Status::error("expected a prompt, found no token");
  if (prompt.size() > static_cast<size_t>(session.context()))
    return Status::error(
        "expected a prompt of at most " + std::to_string(session.context()) +
        " tokens (the context), found " + std::to_string(prompt.size()));
  result.promptTokens = static_cast<int64_t>(prompt.size());
  double start = monotonicSeconds();
  Status status =
      keepCommonPrefix(session, prompt, cancel, result.reusedTokens);
  if (!status.ok()) return status;
  if (options.maxTokens <= 0) {
    result.reason = FinishReason::Length;
    return session.feed(prompt.subspan(session.position()), Wanted::None,
                        nullptr, 0, cancel);
  }
  Loop loop(session, options, text, cancel, result);
  status = loop.feed(prompt.subspan(session.position()));
  double known = monotonicSeconds();
  result.promptSeconds = known - start;
  if (status.ok()) status = loop.run();
  result.answerSeconds = monotonicSeconds() - known;
  return status;
}

}  // namespace gemma
