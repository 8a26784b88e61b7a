// SPDX-License-Identifier: Apache-2.0
// The chat template of Gemma 1, 2 and 3: messages -> token ids. Turn tokens are
// pushed as ids and text is encoded between them, so that no message can forge
// a turn. Gemma 1 and 2 take no system message.
//   <bos> <start_of_turn>user\n{system}\n\n{text}<end_of_turn>\n … and at the
//   end <start_of_turn>model\n
// It handles text only and executes no template language.
// Source: the chat_template of google/gemma-2b-it, google/gemma-2-2b-it and
// google/gemma-3-1b-it, tokenizer_config.json.
#ifndef GEMMA_RUNTIME_CHAT_TURN_TEMPLATE_H
#define GEMMA_RUNTIME_CHAT_TURN_TEMPLATE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/Status.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace gemma {

struct Message {
  std::string role;  // "system" (first only), "user" or "assistant"
  std::string text;
  // An answer's ids as they were generated: taken in place of encoding `text`,
  // so that the cache stays valid. May be empty.
  std::vector<int32_t> tokens;
};

class TurnTemplate {
 public:
  // `name` is the metadata's: "gemma" (Gemma 1 and 2) or "gemma3". `bos` -1:
  // none. Fails for other names, and if the tokenizer lacks the turn tokens.
  Status load(std::string_view name, const Tokenizer &tokenizer, int32_t bos);
  static bool isKnown(std::string_view name) {
    return name == "gemma" || name == "gemma3";
  }

  // Appends the ids of the conversation, open for the model's answer. Roles
  // alternate between user and assistant, user first, after at most one system
  // message; the last one is the user's. On an error `ids` is unchanged.
  Status render(std::span<const Message> messages,
                std::vector<int32_t> &ids) const;

  int32_t endOfTurn() const { return end; }

 private:
  Status checkRoles(std::span<const Message> messages) const;

  const Tokenizer *pieces = nullptr;
  bool takesSystem = false;
  int32_t bos = -1, start = -1, end = -1;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_CHAT_TURN_TEMPLATE_H
