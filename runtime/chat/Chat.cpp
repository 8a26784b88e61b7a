// SPDX-License-Identifier: Apache-2.0
// The conversation's bookkeeping; templates and generation are elsewhere.
#include "runtime/chat/Chat.h"

#include <algorithm>

namespace gemma {

Status checkChatTemplate(const Model &model) {
  const std::string &name = model.metadata().chatTemplate;
  if (!model.tokenizer().isLoaded())
    return Status(Code::Unsupported,
                  "this model has no tokenizer: it cannot take text");
  if (name == "none")
    return Status(Code::Unsupported,
                  "this model has no chat template (it is a base "
                  "model): use generate --raw");
  return TurnTemplate().load(name, model.tokenizer(), model.metadata().bos);
}

Status renderChat(const Model &model, std::span<const Message> messages,
                  std::vector<int32_t> &ids, std::vector<int32_t> &stopIds) {
  Status status = checkChatTemplate(model);
  if (!status.ok()) return status;
  TurnTemplate turns;
  status = turns.load(model.metadata().chatTemplate, model.tokenizer(),
                      model.metadata().bos);
  if (status.ok()) status = turns.render(messages, ids);
  stopIds = model.metadata().eos;
  stopIds.push_back(turns.endOfTurn());
  return status;
}

Status Chat::answer(std::string_view text, const Listener &listener,
                    GenerationResult &result) {
  if (conversation.empty() && !system.empty())
    conversation.push_back({"system", system, {}});
  conversation.push_back({"user", std::string(text), {}});
  std::vector<int32_t> prompt;
  Status status = renderChat(session.engine().model(), conversation, prompt,
                             options.stopIds);
  if (status.ok()) {
    // Another answer's draws must not repeat this one's.
    GenerationOptions turn = options;
    turn.sampling.seed += answers * 0x9E3779B97F4A7C15u;
    status = generate(session, prompt, turn, listener, result);
  }
  bool stoppedBefore =
      result.reason == FinishReason::Cancelled && result.tokens.empty();
  if (!status.ok() || stoppedBefore) {
    conversation.pop_back();
    return status;
  }
  ++answers;
  Message answer{"assistant", result.text, {}};
  if (!result.cutAtText) answer.tokens = result.tokens;
  conversation.push_back(std::move(answer));
  return {};
}

void Chat::reset() { conversation.clear(); }

Status Chat::setSystem(std::string text) {
  if (!text.empty()) {
    Message first[] = {{"system", text, {}}, {"user", "", {}}};
    std::vector<int32_t> ids, stopIds;
    Status status = renderChat(session.engine().model(), first, ids, stopIds);
    if (!status.ok()) return status;
  }
  system = std::move(text);
  reset();
  return {};
}

ChatState Chat::state() const {
  ChatState state{conversation, options.sampling.seed, answers};
  if (conversation.empty() && !system.empty())
    state.messages.push_back({"system", system, {}});
  return state;
}

// The ids that every next question's prompt begins with.
Status Chat::renderPrefix(std::span<const Message> messages,
                          std::vector<int32_t> &ids) const {
  std::vector<Message> asked(messages.begin(), messages.end());
  std::vector<int32_t> other, stopIds;
  asked.push_back({"user", "a", {}});
  Status status = renderChat(session.engine().model(), asked, ids, stopIds);
  asked.back().text = "b";
  if (status.ok())
    status = renderChat(session.engine().model(), asked, other, stopIds);
  ids.resize(
      std::mismatch(ids.begin(), ids.end(), other.begin(), other.end()).first -
      ids.begin());
  return status;
}

Status Chat::restore(ChatState state, const Listener &listener) {
  std::vector<int32_t> prefix;
  Status status = renderPrefix(state.messages, prefix);
  if (!status.ok()) return status;
  // A question and a token of its answer must fit behind it.
  if (prefix.size() + 1 >= static_cast<size_t>(session.context()))
    return Status(Code::ContextFull, "expected a conversation below " +
                                         std::to_string(session.context()) +
                                         " tokens (the context), found " +
                                         std::to_string(prefix.size()));
  system.clear();
  if (!state.messages.empty() && state.messages[0].role == "system")
    system = state.messages[0].text;
  conversation = std::move(state.messages);
  if (conversation.size() == 1) conversation.clear();
  options.sampling.seed = state.seed;
  answers = state.answers;
  if (conversation.empty()) return {};
  GenerationOptions none = options;
  none.maxTokens = 0;
  GenerationResult unused;
  return generate(session, prefix, none, listener, unused);
}

}  // namespace gemma
