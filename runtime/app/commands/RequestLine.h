// SPDX-License-Identifier: Apache-2.0
// A line of --jsonl: JSON -> what it asks for, with fields as the OpenAI API
// names them. Renders no prompt. Internal to the command `generate`.
#ifndef GEMMA_RUNTIME_APP_COMMANDS_REQUESTLINE_H
#define GEMMA_RUNTIME_APP_COMMANDS_REQUESTLINE_H

#include <optional>
#include <string>
#include <vector>

#include "runtime/chat/TurnTemplate.h"
#include "runtime/generation/Generator.h"

namespace gemma {

struct RequestLine {
  GenerationOptions options;
  std::optional<std::string> prompt;  // none: `messages`
  std::vector<Message> messages;
};

// `defaults` hold for what the line does not say.
Result<RequestLine> readRequestLine(const std::string &line,
                                    const GenerationOptions &defaults);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_COMMANDS_REQUESTLINE_H
