// SPDX-License-Identifier: Apache-2.0
// Chat: a conversation on a session. Each turn renders all messages and runs
// only what the cache does not hold yet. A failed or cancelled turn leaves the
// conversation in order: an answer that was stopped stays, as far as it came,
// and a question that was stopped before any goes. Files: ConversationFile.h.
#ifndef GEMMA_RUNTIME_CHAT_CHAT_H
#define GEMMA_RUNTIME_CHAT_CHAT_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/chat/TurnTemplate.h"
#include "runtime/generation/Generator.h"

namespace gemma {

// Whether `model` can chat; the error names the template and why not.
Status checkChatTemplate(const Model &model);

// One conversation's prompt by the model's own template, and the ids that end
// an answer.
Status renderChat(const Model &model, std::span<const Message> messages,
                  std::vector<int32_t> &ids, std::vector<int32_t> &stopIds);

// All that decides how a conversation goes on.
struct ChatState {
  std::vector<Message> messages;  // the system message, then whole turns
  uint64_t seed = 0;
  uint64_t answers = 0;  // how many there were, for the seed of the next
};

class Chat {
 public:
  // Both must outlive the chat. `options.stopIds` are set by the template.
  Chat(Session &session, GenerationOptions options)
      : session(session), options(std::move(options)) {}

  // Answers `text`. On an error (the context is full, say) the message is not
  // kept.
  Status answer(std::string_view text, const Listener &listener,
                GenerationResult &result);

  // Begins anew; the system message stays.
  void reset();
  // Replaces the system message ("": none) and begins anew. Changes nothing
  // when the model's template has no place for one.
  Status setSystem(std::string text);

  ChatState state() const;
  // Goes on from `state`, and runs what the cache lacks of it. Changes nothing
  // on an error; a cancelled run is caught up on by the next answer.
  Status restore(ChatState state, const Listener &listener);

  std::span<const Message> messages() const { return conversation; }

 private:
  Status renderPrefix(std::span<const Message> messages,
                      std::vector<int32_t> &ids) const;

  Session &session;
  GenerationOptions options;
  std::string system;
  std::vector<Message> conversation;
  uint64_t answers = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_CHAT_CHAT_H
