// generate: one prompt -> its continuation, streamed, or one JSON object with
// --json. Does not keep a conversation.
#include <stdio.h>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"
#include "runtime/chat/Chat.h"

namespace gemma {
namespace {

constexpr Flag kFlags[] = {
    {"--prompt", 'p', "TEXT", "the prompt"},
    {"--file", 'f', "FILE", "the prompt is this file (- is standard input)"},
    {"--chat", 0, nullptr, "the prompt is a user's message (chat template)"},
    {"--raw", 0, nullptr, "no template: continue the text"},
    {"--n-predict", 'n', "N", "at most N tokens (default 512)"},
    {"--ignore-eos", 0, nullptr, "never end before N tokens"},
    {"--json", 0, nullptr, "one JSON object in place of the text"},
};

struct Request {
  EngineOptions engine;
  GenerationOptions generation;
  std::string text;
  bool chat = false, raw = false, json = false;
};

Status readRequest(const Arguments &arguments, Request &request) {
  bool prompt = arguments.isSet("--prompt"), file = arguments.isSet("--file");
  if (prompt == file)
    return Status::error("expected one of -p TEXT and -f FILE, found " +
                         std::string(prompt ? "both" : "none"));
  request.chat = arguments.isSet("--chat");
  request.raw = arguments.isSet("--raw");
  if (request.chat && request.raw)
    return Status::error("expected one of --chat and --raw, found both");
  request.json = arguments.isSet("--json");
  request.text = arguments.text("--prompt");
  request.generation.ignoreStops = arguments.isSet("--ignore-eos");
  Status status = readEngineOptions(arguments, request.engine);
  if (status.ok())
    status = arguments.integer("--n-predict", 0, INT32_MAX,
                               request.generation.maxTokens);
  // Checked before the model is loaded; read again over its defaults.
  SamplerOptions unused;
  if (status.ok()) status = readSampling(arguments, unused);
  return status;
}

Status makePrompt(const Model &model, Request &request,
                  std::vector<int32_t> &ids) {
  if (!model.tokenizer().isLoaded())
    return Status::error("this model has no tokenizer: it cannot take text");
  bool hasTemplate = checkChatTemplate(model).ok();
  if (request.chat || (hasTemplate && !request.raw)) {
    Message message{"user", request.text, {}};
    return renderChat(model, {&message, 1}, ids, request.generation.stopIds);
  }
  request.generation.stopIds = model.metadata().eos;
  if (model.metadata().bos >= 0) ids.push_back(model.metadata().bos);
  if (!model.tokenizer().encode(request.text, ids))
    return Status::error("the prompt cannot be encoded");
  return {};
}

double perSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void printJson(const GenerationResult &result) {
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
  Json object = {
      {"text", result.text},
      {"tokens", result.tokens},
      {"finish_reason", finishReasonName(result.reason)},
      {"prompt_tokens", result.promptTokens},
      {"completion_tokens", count},
      {"timings", timings},
  };
  std::string text =
      object.dump(-1, ' ', false, Json::error_handler_t::replace);
  printf("%s\n", text.c_str());
}

}  // namespace

int runGenerate(const Program &program, Words words) {
  std::vector<Flag> flags = withSamplingFlags(kFlags);
  Arguments arguments;
  int code = kDone;
  if (!parseWords("generate", "-p TEXT | -f FILE [FLAGS]", words, flags,
                  arguments, code))
    return code;
  Request request;
  Status status = readRequest(arguments, request);
  if (!status.ok()) return wrongUsage(status);
  if (arguments.isSet("--file")) {
    status = readFile(arguments.text("--file"), request.text);
    if (!status.ok()) return failed(status);
  }
  Model model;
  Engine engine;
  status = startModel(program, request.engine, model, engine);
  if (!status.ok()) return failed(status);
  request.generation.sampling = samplerDefaults(model.metadata().generation);
  status = readSampling(arguments, request.generation.sampling);
  std::vector<int32_t> prompt;
  if (status.ok()) status = makePrompt(model, request, prompt);
  if (!status.ok()) return failed(status);
  Session session(engine, static_cast<int32_t>(request.engine.context));
  GenerationResult result;
  auto stream = [&](std::string_view text) {
    if (request.json) return true;
    fwrite(text.data(), 1, text.size(), stdout);
    // A reader that went away ends the work.
    return fflush(stdout) == 0;
  };
  status =
      generate(session, prompt, request.generation, stream, nullptr, result);
  if (!status.ok()) return failed(status);
  if (request.json)
    printJson(result);
  else
    fputs("\n", stdout);
  return kDone;
}

}  // namespace gemma
