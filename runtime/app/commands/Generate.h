// SPDX-License-Identifier: Apache-2.0
// What `generate` shares between one prompt and lines of them: flags, prompts
// and the JSON of a result. Internal to the command.
#ifndef GEMMA_RUNTIME_APP_COMMANDS_GENERATE_H
#define GEMMA_RUNTIME_APP_COMMANDS_GENERATE_H

#include <span>
#include <string>
#include <vector>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"
#include "runtime/chat/Chat.h"

namespace gemma {

struct GenerateRequest {
  GenerationOptions generation;
  std::string text;
  bool chat = false, raw = false, json = false;
  bool seeded = false;  // --seed is given: each line's seed as well
};

// The ids of a text, by the chat template where the flags and the model say so,
// and of a conversation, always by it. `options` get what ends the answer.
Status makePrompt(const Model &model, const GenerateRequest &request,
                  const std::string &text, GenerationOptions &options,
                  std::vector<int32_t> &ids);
Status makePrompt(const Model &model, const GenerateRequest &request,
                  std::span<const Message> messages, GenerationOptions &options,
                  std::vector<int32_t> &ids);

nlohmann::ordered_json describeResult(const GenerationResult &result);
// One line on stdout, at once. False: nobody reads it any more.
bool printLine(const nlohmann::ordered_json &object);

// Lines of JSON -> lines of JSON; `name` is the input's for messages.
Status generateLines(App &app, const GenerateRequest &request, int file,
                     const std::string &name);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_COMMANDS_GENERATE_H
