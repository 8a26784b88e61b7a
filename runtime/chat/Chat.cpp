// The conversation's bookkeeping; templates and generation are elsewhere.
#include "runtime/chat/Chat.h"

namespace gemma {

Status checkChatTemplate(const Model &model) {
  const std::string &name = model.metadata().chatTemplate;
  if (!model.tokenizer().isLoaded())
    return Status::error("this model has no tokenizer: it cannot take text");
  if (name == "none")
    return Status::error(
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

Status Chat::answer(std::string_view text, const TextCallback &stream,
                    const std::atomic<bool> *cancel, GenerationResult &result) {
  if (conversation.empty() && !system.empty())
    conversation.push_back({"system", system, {}});
  conversation.push_back({"user", std::string(text), {}});
  std::vector<int32_t> prompt;
  Status status = renderChat(session.engine().model(), conversation, prompt,
                             options.stopIds);
  if (status.ok()) {
    // Another answer's draws must not repeat this one's.
    GenerationOptions turn = options;
    turn.sampling.seed += answers++ * 0x9E3779B97F4A7C15u;
    status = generate(session, prompt, turn, stream, cancel, result);
  }
  if (!status.ok()) {
    conversation.pop_back();
    return status;
  }
  conversation.push_back({"assistant", result.text, result.tokens});
  return {};
}

void Chat::reset() { conversation.clear(); }

void Chat::setSystem(std::string text) {
  system = std::move(text);
  reset();
}

}  // namespace gemma
