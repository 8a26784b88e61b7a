// SPDX-License-Identifier: Apache-2.0
// The generation loop. The last prompt token is always run, for its logits, so
// at least one token of a reused prefix is fed again.
#include "runtime/generation/Generator.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "runtime/model/Clock.h"

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

// A call should not keep a cancellation waiting much longer than this.
constexpr double kPatienceSeconds = 0.4;
constexpr size_t kFirstPiece = 64;

SamplerOptions samplerOptions(const GenerationOptions &options) {
  SamplerOptions sampling = options.sampling;
  if (options.ignoreStops)
    sampling.suppressed.insert(sampling.suppressed.end(),
                               options.stopIds.begin(), options.stopIds.end());
  return sampling;
}

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

bool StopFinder::find(std::string &text) {
  size_t first = std::string::npos, longest = 1;
  for (const std::string &stop : texts) {
    first = std::min(first, text.find(stop, searched));
    longest = std::max(longest, stop.size());
  }
  if (first != std::string::npos) {
    text.resize(first);
    return true;
  }
  searched =
      std::max(searched, text.size() - std::min(text.size(), longest - 1));
  return false;
}

size_t StopFinder::certain(std::string_view text) const {
  size_t held = 0;
  for (const std::string &stop : texts) {
    assert(!stop.empty());
    size_t most = std::min(stop.size() - 1, text.size());
    for (size_t count = most; count > held; --count)
      if (text.ends_with(std::string_view(stop).substr(0, count))) held = count;
  }
  return text.size() - held;
}

Answer::Answer(Session &session, const GenerationOptions &options,
               const Listener &listener, GenerationResult &result)
    : session(session),
      options(options),
      listener(listener),
      result(result),
      sampler(samplerOptions(options)),
      decoder(session.engine().model().tokenizer()),
      stops(options.stopTexts) {
  result = {};
}

void Answer::sample(std::span<const float> logits) {
  choose(sampler.sample(logits, session.history(), result.tokens.size()));
}

void Answer::choose(int32_t token) {
  next = token;
  sampled = true;
}

// In pieces that let a cancellation in soon, where one may come.
Status Answer::feedPrompt(std::span<const int32_t> prompt) {
  bool watched = listener.cancel != nullptr || listener.prompt;
  size_t most = session.engine().maxRows();
  size_t piece = watched ? std::min(kFirstPiece, most) : most;
  ArgMaxCallback argMax;
  if (sampler.isArgMax())
    argMax = [this](size_t, int32_t token) { choose(token); };
  while (!isSet(listener.cancel)) {
    auto held = static_cast<size_t>(session.position());
    if (listener.prompt)
      listener.prompt(session.position(), result.promptTokens);
    assert(held <= prompt.size());
    if (held == prompt.size()) break;
    size_t count = std::min(piece, prompt.size() - held);
    bool wanted = options.maxTokens > 0 && held + count == prompt.size();
    double from = monotonicSeconds();
    Status status = session.feed(
        prompt.subspan(held, count), wanted ? Wanted::Last : Wanted::None,
        [this](size_t, std::span<const float> logits) { sample(logits); },
        /*chunk=*/0, /*cancel=*/nullptr, argMax);
    if (!status.ok()) return status;
    double spent = monotonicSeconds() - from;
    if (spent < kPatienceSeconds / 2) piece = std::min(piece * 2, most);
    if (spent > kPatienceSeconds && watched)
      piece = std::max<size_t>(piece / 2, 1);
  }
  return {};
}

Status Answer::begin(std::span<const int32_t> prompt) {
  if (prompt.empty())
    return Status(Code::InvalidInput, "expected a prompt, found no token");
  if (prompt.size() > static_cast<size_t>(session.context()))
    return Status(Code::ContextFull, "expected a prompt of at most " +
                                         std::to_string(session.context()) +
                                         " tokens (the context), found " +
                                         std::to_string(prompt.size()));
  result.promptTokens = static_cast<int64_t>(prompt.size());
  start = known = monotonicSeconds();
  Status status =
      keepCommonPrefix(session, prompt, listener.cancel, result.reusedTokens);
  if (status.ok()) status = feedPrompt(prompt);
  known = monotonicSeconds();
  result.promptSeconds = known - start;
  if (!status.ok()) return status;
  if (options.maxTokens <= 0 && !isSet(listener.cancel))
    finish(FinishReason::Length);
  else
    take();
  return {};
}

// Of the token that was sampled: whether it ends the answer, and its text.
void Answer::take() {
  if (!sampled) return finish(FinishReason::Cancelled);
  sampled = false;
  if (contains(options.stopIds, next)) return finish(FinishReason::Stop);
  result.tokens.push_back(next);
  if (session.engine().model().tokenizer().isLoaded()) {
    decoder.append(next, result.text);
    result.cutAtText = stops.find(result.text);
    if (result.cutAtText) return finish(FinishReason::Stop);
    if (!emit()) return finish(FinishReason::Cancelled);
  }
  bool full = session.position() >= session.context();
  if (static_cast<int64_t>(result.tokens.size()) >= options.maxTokens || full)
    return finish(FinishReason::Length);
  if (isSet(listener.cancel)) finish(FinishReason::Cancelled);
}

// Streams what is certain of the text.
bool Answer::emit() {
  size_t end = done ? result.text.size() : stops.certain(result.text);
  if (end <= emitted) return true;
  std::string_view piece =
      std::string_view(result.text).substr(emitted, end - emitted);
  emitted = end;
  return !listener.text || listener.text(piece);
}

void Answer::finish(FinishReason reason) {
  done = true;
  result.reason = reason;
  result.answerSeconds = monotonicSeconds() - known;
  if (!session.engine().model().tokenizer().isLoaded()) return;
  if (!result.cutAtText) {
    decoder.finish(result.text);
    result.cutAtText = stops.find(result.text);
    if (result.cutAtText) result.reason = FinishReason::Stop;
  }
  emit();
}

Status Answer::step(Engine &engine, std::span<Answer *const> answers) {
  std::vector<RowRequest> rows;
  bool allArgMax = true;
  assert(answers.size() <= engine.maxRows());
  for (Answer *answer : answers) {
    assert(!answer->done && &answer->session.engine() == &engine);
    rows.push_back({&answer->session, answer->next, true});
    allArgMax &= answer->sampler.isArgMax();
  }
  ArgMaxCallback argMax;
  if (allArgMax)
    argMax = [&](size_t row, int32_t token) { answers[row]->choose(token); };
  Status status = engine.step(
      rows, [&](size_t row, auto logits) { answers[row]->sample(logits); },
      argMax);
  if (!status.ok()) return status;
  for (Answer *answer : answers) answer->take();
  return {};
}

Status generate(Session &session, std::span<const int32_t> prompt,
                const GenerationOptions &options, const Listener &listener,
                GenerationResult &result) {
  Answer answer(session, options, listener, result);
  Status status = answer.begin(prompt);
  Answer *alone = &answer;
  while (status.ok() && !answer.finished())
    status = Answer::step(session.engine(), {&alone, 1});
  return status;
}

}  // namespace gemma
