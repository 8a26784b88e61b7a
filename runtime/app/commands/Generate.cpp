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
  Status status = readStops(arguments, request.generation.stopTexts);
  if (status.ok()) status = readEngineOptions(arguments, request.engine);
  if (status.ok())
    status = arguments.integer("--n-predict", 0, INT32_MAX,
                               request.generation.maxTokens);
  int64_t seed = -1;
  if (status.ok()) status = arguments.integer("--seed", -1, INT64_MAX, seed);
  request.seeded = seed >= 0;
  // Checked before the model is loaded; read again over its defaults.
  SamplerOptions unused;
  if (status.ok()) status = readSampling(arguments, unused);
  return status;
}

double perSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

int generateOne(Engine &engine, GenerateRequest &request) {
  std::vector<int32_t> prompt;
  Status status = makePrompt(engine.model(), request, request.text,
                             request.generation, prompt);
  if (!status.ok()) return report(status);
  Session session(engine, static_cast<int32_t>(request.engine.context));
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
  if (!status.ok()) return report(status);
  if (request.json)
    printLine(describeResult(result));
  else
    fputs("\n", stdout);
  return report({});
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

int runGenerate(const Program &program, Words words) {
  std::vector<Flag> flags = withSamplingFlags(kFlags);
  Arguments arguments;
  int code = 0;
  if (!parseWords("generate", "-p TEXT | -f FILE | --jsonl FILE [FLAGS]", words,
                  flags, arguments, code))
    return code;
  GenerateRequest request;
  Status status = readRequest(arguments, request);
  if (!status.ok()) return report(status);
  if (arguments.isSet("--file")) {
    Result<std::string> text = readFile(arguments.text("--file"));
    if (!text.ok()) return report(text.status());
    request.text = std::move(*text);
  }
  std::string lines = arguments.text("--jsonl");
  int file = STDIN_FILENO;
  if (!lines.empty() && lines != "-")
    file = open(lines.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return report(
        Status(Code::Io, lines + ": cannot be opened: " + strerror(errno)));
  Model model;
  Engine engine;
  status = startModel(program, request.engine, model, engine);
  if (!status.ok()) return report(status);
  request.generation.sampling = samplerDefaults(model.metadata().generation);
  status = readSampling(arguments, request.generation.sampling);
  if (!status.ok()) return report(status);
  if (!arguments.isSet("--jsonl")) return generateOne(engine, request);
  code = generateLines(engine, request, file, lines);
  if (file != STDIN_FILENO) close(file);
  return code;
}

}  // namespace gemma
