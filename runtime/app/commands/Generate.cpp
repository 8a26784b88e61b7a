// SPDX-License-Identifier: Apache-2.0
// generate: one prompt -> its continuation, streamed, or one JSON object with
// --json. Lines of prompts (--jsonl): GenerateLines.cpp. Does not keep a
// conversation.
#include "runtime/app/commands/Generate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/app/SamplingFlags.h"
#include "runtime/app/terminal/PromptProgress.h"

namespace gemma {
namespace {

constexpr Flag kFlags[] = {
    {"--prompt", 'p', "TEXT", "the prompt"},
    {"--file", 'f', "FILE", "the prompt is this file (- is standard input)"},
    {"--jsonl", 0, "FILE",
     "a JSON object a line (- is standard input): \"prompt\" or \"messages\", "
     "and what differs from the flags, as the OpenAI API names it; answers "
     "come as lines, in order"},
    {"--chat", 0, nullptr, "the prompt is a user's message (chat template)"},
    {"--raw", 0, nullptr, "no template: continue the text"},
    {"--n-predict", 'n', "N", "at most N tokens (default 512)"},
    {"--ignore-eos", 0, nullptr, "never end before N tokens"},
    kStopFlag,
    {"--json", 0, nullptr, "one JSON object in place of the text"},
};

Status readRequest(const Arguments &arguments, GenerateRequest &request) {
  int sources = arguments.isSet("--prompt") + arguments.isSet("--file") +
                arguments.isSet("--jsonl");
  if (sources != 1)
    return Status(Code::Usage,
                  "expected one of -p TEXT, -f FILE and --jsonl FILE, found " +
                      std::string(sources == 0 ? "none" : "more"));
  request.chat = arguments.isSet("--chat");
  request.raw = arguments.isSet("--raw");
  if (request.chat && request.raw)
    return Status(Code::Usage, "expected one of --chat and --raw, found both");
  request.json = arguments.isSet("--json");
  request.text = arguments.text("--prompt");
  request.generation.ignoreStops = arguments.isSet("--ignore-eos");
  int64_t seed = -1;
  Status status = firstFailure({
      readStops(arguments, request.generation.stopTexts),
      arguments.integer("--n-predict", 0, INT32_MAX,
                        request.generation.maxTokens),
      arguments.integer("--seed", -1, INT64_MAX, seed),
      // Read again over the model's defaults.
      checkSampling(arguments),
  });
  request.seeded = seed >= 0;
  return status;
}

double perSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

Status generateOne(App &app, GenerateRequest &request) {
  std::vector<int32_t> prompt;
  Status status =
      makePrompt(app.model, request, request.text, request.generation, prompt);
  if (!status.ok()) return status;
  Session session(app.engine, app.context);
  GenerationResult result;
  PromptProgress progress;
  Listener listener;
  listener.prompt = [&](int64_t done, int64_t total) {
    progress.show(done, total);
  };
  listener.text = [&](std::string_view text) {
    if (request.json) return true;
    fwrite(text.data(), 1, text.size(), stdout);
    // A reader that went away ends the work.
    return fflush(stdout) == 0;
  };
  status = generate(session, prompt, request.generation, listener, result);
  progress.clear();
  if (!status.ok()) return status;
  if (request.json)
    printLine(describeResult(result));
  else
    fputs("\n", stdout);
  return {};
}

// The file of --jsonl: standard input, or one that was opened here.
class InputFile {
 public:
  InputFile() = default;
  ~InputFile() {
    if (file > STDIN_FILENO) close(file);
  }
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  Status openAt(const std::string &path) {
    if (path != "-") file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) return {};
    return Status(Code::Io, path + ": cannot be opened: " + strerror(errno));
  }

  int file = STDIN_FILENO;
};

Status run(App &app) {
  const Arguments &arguments = app.arguments;
  GenerateRequest request;
  Status status = readRequest(arguments, request);
  if (!status.ok()) return status;
  if (arguments.isSet("--file")) {
    Result<std::string> text = readFile(arguments.text("--file"));
    if (!text.ok()) return text.status();
    request.text = std::move(*text);
  }
  std::string lines = arguments.text("--jsonl");
  InputFile input;
  if (!lines.empty()) status = input.openAt(lines);
  if (status.ok()) status = app.start();
  if (!status.ok()) return status;
  request.generation.sampling =
      samplerDefaults(app.model.metadata().generation);
  status = readSampling(arguments, request.generation.sampling);
  if (!status.ok()) return status;
  if (!arguments.isSet("--jsonl")) return generateOne(app, request);
  return generateLines(app, request, input.file, lines);
}

}  // namespace

Status makePrompt(const Model &model, const GenerateRequest &request,
                  const std::string &text, GenerationOptions &options,
                  std::vector<int32_t> &ids) {
  if (!model.tokenizer().isLoaded())
    return Status(Code::Unsupported,
                  "this model has no tokenizer: it cannot take text");
  bool hasTemplate = checkChatTemplate(model).ok();
  if (request.chat || (hasTemplate && !request.raw)) {
    Message message{"user", text, {}};
    return renderChat(model, {&message, 1}, ids, options.stopIds);
  }
  options.stopIds = model.metadata().eos;
  if (model.metadata().bos >= 0) ids.push_back(model.metadata().bos);
  if (!model.tokenizer().encode(text, ids))
    return Status(Code::InvalidInput, "the prompt cannot be encoded");
  return {};
}

Status makePrompt(const Model &model, const GenerateRequest &request,
                  std::span<const Message> messages, GenerationOptions &options,
                  std::vector<int32_t> &ids) {
  if (request.raw)
    return Status(
        Code::InvalidInput,
        "expected \"prompt\" with --raw, found \"messages\": they need the "
        "chat template");
  return renderChat(model, messages, ids, options.stopIds);
}

nlohmann::ordered_json describeResult(const GenerationResult &result) {
  using Json = nlohmann::ordered_json;
  auto count = static_cast<int64_t>(result.tokens.size());
  // The first token comes with the prompt.
  int64_t decoded = count > 0 ? count - 1 : 0;
  Json timings = {
      {"prompt_seconds", result.promptSeconds},
      {"prompt_per_second", perSecond(result.promptTokens - result.reusedTokens,
                                      result.promptSeconds)},
      {"predicted_seconds", result.answerSeconds},
      {"predicted_per_second", perSecond(decoded, result.answerSeconds)},
  };
  return {
      {"text", result.text},
      {"tokens", result.tokens},
      {"finish_reason", finishReasonName(result.reason)},
      {"prompt_tokens", result.promptTokens},
      {"completion_tokens", count},
      {"timings", timings},
  };
}

bool printLine(const nlohmann::ordered_json &object) {
  std::string text =
      object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
  fwrite(text.data(), 1, text.size(), stdout);
  return fflush(stdout) == 0;
}

const Command kGenerateCommand = {"generate",
                                  "-p TEXT | -f FILE | --jsonl FILE [FLAGS]",
                                  kFlags, Command::Shared::Sampling, run};

}  // namespace gemma
