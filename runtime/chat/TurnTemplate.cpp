// SPDX-License-Identifier: Apache-2.0
// Rendering of the template. Template text and message text are joined
// before they are encoded: "user\n" and "\nhi" apart would be other ids than
// "user\n\nhi".
#include "runtime/chat/TurnTemplate.h"

#include <cassert>
#include <string_view>

namespace gemma {
namespace {

// What Jinja's trim, Python's str.strip, removes of ASCII.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
  size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

}  // namespace

Status TurnTemplate::load(std::string_view name, const Tokenizer &tokenizer,
                          int32_t bosId) {
  if (!isKnown(name))
    return Status(
        Code::Unsupported,
        "expected a chat template that is known (gemma, gemma3), found \"" +
            std::string(name) + "\": use generate --raw");
  takesSystem = name == "gemma3";
  pieces = &tokenizer;
  bos = bosId;
  start = tokenizer.pieceId("<start_of_turn>");
  end = tokenizer.pieceId("<end_of_turn>");
  if (start < 0 || end < 0)
    return Status(
        Code::Unsupported,
        "chat template: expected the pieces <start_of_turn> and <end_of_turn> "
        "in the tokenizer, found none");
  return {};
}

Status TurnTemplate::checkRoles(std::span<const Message> messages) const {
  size_t first = !messages.empty() && messages[0].role == "system" ? 1 : 0;
  if (first && !takesSystem)
    return Status(
        Code::Unsupported,
        "expected no system message: this model's chat template has no place "
        "for one");
  for (size_t i = first; i < messages.size(); ++i) {
    const char *expected = (i - first) % 2 == 0 ? "user" : "assistant";
    if (messages[i].role != expected)
      return Status(Code::InvalidInput,
                    "expected the roles user and assistant in turn, "
                    "found \"" +
                        messages[i].role + "\" as message " +
                        std::to_string(i + 1) + " where \"" + expected +
                        "\" was due");
  }
  if ((messages.size() - first) % 2 == 0)
    return Status(Code::InvalidInput,
                  "expected a user message at the end, found none to answer");
  return {};
}

Status TurnTemplate::render(std::span<const Message> messages,
                            std::vector<int32_t> &ids) const {
  assert(pieces != nullptr);
  Status status = checkRoles(messages);
  if (!status.ok()) return status;
  std::vector<int32_t> rendered;
  std::string prefix;
  bool good = true;
  auto put = [&](std::string_view text) {
    good = good && pieces->encode(text, rendered);
  };
  if (bos >= 0) rendered.push_back(bos);
  for (const Message &message : messages) {
    if (message.role == "system") {
      prefix = message.text + "\n\n";
      continue;
    }
    bool user = message.role == "user";
    std::string_view text = trimmed(message.text);
    rendered.push_back(start);
    // Untrimmed answers are encoded anew: the template would trim them.
    if (!message.tokens.empty() && text.size() == message.text.size()) {
      put(user ? "user\n" : "model\n");
      rendered.insert(rendered.end(), message.tokens.begin(),
                      message.tokens.end());
    } else {
      put((user ? "user\n" : "model\n") + prefix + std::string(text));
    }
    prefix.clear();
    rendered.push_back(end);
    put("\n");
  }
  rendered.push_back(start);
  put("model\n");
  if (!good)
    return Status(Code::InvalidInput,
                  "a message of the conversation cannot be encoded");
  ids.insert(ids.end(), rendered.begin(), rendered.end());
  return {};
}

}  // namespace gemma
