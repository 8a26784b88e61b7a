// SPDX-License-Identifier: Apache-2.0
// eval: flags and a file -> what Evaluation finds, as a line or a JSON object.
#include <stdio.h>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"
#include "runtime/app/evaluation/Evaluation.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr Flag kFlags[] = {
    {"--text", 0, "FILE", "score this text"},
    {"--tokens", 0, "FILE", "score this JSON array of token ids, one window"},
    {"--ctx", 0, "N", "tokens of a window of --text (default 512)"},
    {"--chunks", 0, "K", "at most K windows"},
    {"--chunk", 0, "N", "feed N tokens a call (default: as many as fit)"},
    {"--logits", 0, "FILE", "write the logits of all tokens, .npy (--tokens)"},
    {"--last-logits", 0, "FILE", "write the last token's logits (--tokens)"},
    {"--reference", 0, "FILE",
     "compare with another compiled model, or with its --logits (--tokens)"},
    {"--json", 0, nullptr, "print a JSON object"},
};

struct Request {
  EvaluationOptions options;
  std::string textFile, tokensFile;  // one of them

  bool isText() const { return tokensFile.empty(); }
  const std::string &path() const { return isText() ? textFile : tokensFile; }
};

Status readRequest(const Arguments &arguments, Request &request) {
  EvaluationOptions &options = request.options;
  request.textFile = arguments.text("--text");
  request.tokensFile = arguments.text("--tokens");
  options.logitsFile = arguments.text("--logits");
  options.lastLogitsFile = arguments.text("--last-logits");
  options.referenceFile = arguments.text("--reference");
  if (request.textFile.empty() == request.tokensFile.empty())
    return Status(Code::Usage, "expected one of --text FILE and --tokens FILE");
  bool writes = !options.logitsFile.empty() || !options.lastLogitsFile.empty();
  if (writes && request.isText())
    return Status(Code::Usage, "--logits and --last-logits need --tokens");
  return firstFailure({
      arguments.integer("--ctx", 2, INT32_MAX, options.window),
      arguments.integer("--chunks", 1, INT32_MAX, options.windows),
      arguments.integer("--chunk", 1, INT32_MAX, options.chunk),
  });
}

Result<std::vector<int32_t>> parseIds(const std::string &text) {
  Json list = Json::parse(text, nullptr, false);
  if (!list.is_array())
    return Status(Code::InvalidInput,
                  "expected a JSON array of token ids, found another "
                  "thing");
  std::vector<int32_t> ids;
  for (const Json &entry : list) {
    if (!entry.is_number_integer() || entry < 0 || entry > INT32_MAX)
      return Status(Code::InvalidInput,
                    "expected a token id, found " + entry.dump());
    ids.push_back(entry.get<int32_t>());
  }
  if (ids.empty())
    return Status(Code::InvalidInput, "expected token ids, found none");
  return ids;
}

void printResult(const Evaluation &evaluation, bool json) {
  if (!json) {
    if (evaluation.scored() > 0)
      printf(
          "perplexity %.6f over %lld of %lld tokens, %lld windows, %.2f s\n",
          evaluation.perplexity(), static_cast<long long>(evaluation.scored()),
          static_cast<long long>(evaluation.fed()),
          static_cast<long long>(evaluation.windows()), evaluation.seconds());
    if (evaluation.scored() > 0 && evaluation.compares())
      printf("divergence %.6f, 99.9 %% below %.6f; same top token %.2f %%\n",
             evaluation.meanDivergence(), evaluation.highDivergence(),
             evaluation.sameTop() * 100);
    return;
  }
  Json object;
  object["perplexity"] = nullptr;
  if (evaluation.scored() > 0) object["perplexity"] = evaluation.perplexity();
  object["tokens"] = evaluation.fed();
  object["scored"] = evaluation.scored();
  object["windows"] = evaluation.windows();
  object["seconds"] = evaluation.seconds();
  if (evaluation.compares()) {
    object["kl_mean"] = object["kl_p999"] = object["top1"] = nullptr;
    if (evaluation.scored() > 0) {
      object["kl_mean"] = evaluation.meanDivergence();
      object["kl_p999"] = evaluation.highDivergence();
      object["top1"] = evaluation.sameTop();
    }
  }
  printf("%s\n", object.dump().c_str());
}

Status run(App &app) {
  Request request;
  Status status = readRequest(app.arguments, request);
  if (!status.ok()) return status;
  Result<std::string> input = readFile(request.path());
  if (!input.ok()) return input.status();
  std::vector<int32_t> ids;
  if (!request.isText()) {
    auto parsed = parseIds(*input);
    if (!parsed.ok()) return parsed.status().in(request.path());
    ids = std::move(*parsed);
  }
  status = app.start();
  if (!status.ok()) return status;
  Evaluation evaluation(app.engine, app.context, request.options);
  status = evaluation.openReference(request.isText());
  if (status.ok())
    status = request.isText() ? evaluation.scoreText(*input)
                              : evaluation.scoreTokens(ids);
  if (status.ok()) printResult(evaluation, app.arguments.isSet("--json"));
  return status;
}

}  // namespace

const Command kEvalCommand = {"eval", "--text FILE | --tokens FILE [FLAGS]",
                              kFlags, Command::Shared::Engine, run};

}  // namespace gemma
