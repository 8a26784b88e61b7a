// SPDX-License-Identifier: Apache-2.0
// eval: tokens or a text -> perplexity, and logits as NumPy files. A text is
// cut into windows in the way of llama.cpp's perplexity tool: --ctx tokens
// each, BOS in place of the first, the second half scored. --tokens is one
// window, as it is. --reference: the distance of the scored rows from another
// model's, as that tool's --kl-divergence measures it. Source: llama.cpp,
// tools/perplexity/perplexity.cpp.
#include <stdio.h>

#include <algorithm>
#include <cmath>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"
#include "runtime/app/evaluation/LogProbability.h"
#include "runtime/app/evaluation/NpyFile.h"
#include "runtime/app/evaluation/Reference.h"
#include "runtime/model/Session.h"

namespace gemma {
namespace {

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
  EngineOptions engine;
  int64_t window = 512, windows = INT64_MAX, chunk = 0;
  std::string textFile, tokensFile, logitsFile, lastLogitsFile, referenceFile;
};

Status readRequest(const Arguments &arguments, Request &request) {
  request.textFile = arguments.text("--text");
  request.tokensFile = arguments.text("--tokens");
  request.logitsFile = arguments.text("--logits");
  request.lastLogitsFile = arguments.text("--last-logits");
  request.referenceFile = arguments.text("--reference");
  if (request.textFile.empty() == request.tokensFile.empty())
    return Status(Code::Usage, "expected one of --text FILE and --tokens FILE");
  bool writes = !request.logitsFile.empty() || !request.lastLogitsFile.empty();
  if (writes && request.tokensFile.empty())
    return Status(Code::Usage, "--logits and --last-logits need --tokens");
  Status status = readEngineOptions(arguments, request.engine);
  if (status.ok())
    status = arguments.integer("--ctx", 2, INT32_MAX, request.window);
  if (status.ok())
    status = arguments.integer("--chunks", 1, INT32_MAX, request.windows);
  if (status.ok())
    status = arguments.integer("--chunk", 1, INT32_MAX, request.chunk);
  return status;
}

Result<std::vector<int32_t>> parseIds(const std::string &text) {
  using Json = nlohmann::json;
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

// Windows of one request, and what came out.
class Evaluation {
 public:
  Evaluation(Model &model, Engine &engine, const Request &request)
      : model(model),
        engine(engine),
        request(request),
        session(engine, static_cast<int32_t>(request.engine.context)) {}

  // Before any window. Fails where the reference is of another kind.
  Status openReference();
  Status scoreTokens(const std::vector<int32_t> &ids);
  Status scoreText(const std::string &text);

  double perplexity() const {
    return std::exp(loss / static_cast<double>(scored));
  }

  bool compares() const { return reference.isOpen(); }
  // Of the reference's probabilities: the mean, and what 99.9 % are below.
  double meanDivergence() const;
  double highDivergence() const;
  // Of all scored rows, the share whose likeliest token is the same.
  double sameTop() const {
    return static_cast<double>(sameTops) / static_cast<double>(scored);
  }

  int64_t scored = 0, fed = 0, windows = 0;
  double seconds = 0;

 private:
  Status scoreWindow(std::span<const int32_t> ids);
  Status openFiles(size_t rows);
  Status compare(size_t row, std::span<const float> logits);

  Model &model;
  Engine &engine;
  const Request &request;
  Session session;
  NpyFile logitsFile, lastLogitsFile;
  double loss = 0;
  Reference reference;
  std::vector<float> referenceRow;
  size_t referenceRows = 0;  // read in this window
  std::vector<double> divergences;
  int64_t sameTops = 0;
};

Status Evaluation::openReference() {
  if (request.referenceFile.empty()) return {};
  Status status = reference.open(request.referenceFile);
  if (status.ok() && reference.isFile() && request.tokensFile.empty())
    return Status(Code::InvalidInput,
                  "--reference: expected --tokens with a .npy file, "
                  "found --text");
  referenceRow.resize(model.code().vocabulary);
  return status;
}

double Evaluation::meanDivergence() const {
  double sum = 0;
  for (double value : divergences) sum += value;
  return sum / static_cast<double>(divergences.size());
}

double Evaluation::highDivergence() const {
  std::vector<double> sorted = divergences;
  std::sort(sorted.begin(), sorted.end());
  // Between the two nearest ranks, as NumPy's percentile.
  double rank = 0.999 * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<size_t>(rank);
  size_t above = std::min(below + 1, sorted.size() - 1);
  double share = rank - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

Status Evaluation::compare(size_t row, std::span<const float> logits) {
  for (; referenceRows <= row; ++referenceRows) {
    Status status = reference.read(referenceRow);
    if (!status.ok()) return status;
  }
  divergences.push_back(divergence(referenceRow, logits, engine.threads()));
  auto top = [](auto values) {
    return std::max_element(values.begin(), values.end()) - values.begin();
  };
  sameTops += top(std::span<const float>(referenceRow)) == top(logits);
  return {};
}

Status Evaluation::scoreWindow(std::span<const int32_t> ids) {
  session.reset();
  Status status, compared;
  referenceRows = 0;
  if (compares())
    status = reference.begin(ids, model.code().vocabulary,
                             engine.threads().threadCount());
  if (!status.ok()) return status;
  size_t first = ids.size() / 2, last = ids.size() - 1;
  auto score = [&](size_t row, std::span<const float> logits) {
    if (logitsFile.isOpen()) logitsFile.write(logits);
    if (row == last && lastLogitsFile.isOpen()) lastLogitsFile.write(logits);
    if (row < first || row >= last) return;
    loss += logSumExp(logits, engine.threads()) - logits[ids[row + 1]];
    ++scored;
    if (compares() && compared.ok()) compared = compare(row, logits);
  };
  double start = monotonicSeconds();
  // Logits of the first half are computed only where a file wants them.
  size_t unscored = logitsFile.isOpen() ? 0 : first;
  auto chunk = static_cast<int32_t>(request.chunk);
  if (unscored > 0)
    status = session.feed(ids.first(unscored), Wanted::None, nullptr, chunk);
  if (status.ok())
    status = session.feed(
        ids.subspan(unscored), Wanted::All,
        [&](size_t row, auto logits) { score(unscored + row, logits); }, chunk);
  seconds += monotonicSeconds() - start;
  fed += static_cast<int64_t>(ids.size());
  ++windows;
  if (status.ok()) status = compared;
  // The rows behind the last scored one let the program end well.
  for (; compares() && status.ok() && referenceRows < ids.size();
       ++referenceRows)
    status = reference.read(referenceRow);
  return status.ok() && compares() ? reference.end() : status;
}

Status Evaluation::openFiles(size_t rows) {
  int64_t columns = model.code().vocabulary;
  Status status;
  if (!request.logitsFile.empty())
    status = logitsFile.create(request.logitsFile, static_cast<int64_t>(rows),
                               columns);
  if (status.ok() && !request.lastLogitsFile.empty())
    status = lastLogitsFile.create(request.lastLogitsFile, 0, columns);
  return status;
}

Status Evaluation::scoreTokens(const std::vector<int32_t> &ids) {
  // Before a file is created or a second of work is done.
  for (int32_t id : ids)
    if (id >= model.code().vocabulary)
      return Status(Code::InvalidInput,
                    "expected token ids below " +
                        std::to_string(model.code().vocabulary) + ", found " +
                        std::to_string(id));
  if (static_cast<int64_t>(ids.size()) > session.context())
    return Status(Code::ContextFull, "expected at most " +
                                         std::to_string(session.context()) +
                                         " tokens (the context), found " +
                                         std::to_string(ids.size()));
  Status status = openFiles(ids.size());
  if (status.ok()) status = scoreWindow(ids);
  Status first = logitsFile.close(), second = lastLogitsFile.close();
  if (!status.ok()) return status;
  return first.ok() ? second : first;
}

Status Evaluation::scoreText(const std::string &text) {
  if (!model.tokenizer().isLoaded())
    return Status(Code::Unsupported,
                  "this model has no tokenizer: it cannot take text");
  int32_t bos = model.metadata().bos;
  std::vector<int32_t> ids;
  if (bos >= 0) ids.push_back(bos);
  if (!model.tokenizer().encode(text, ids))
    return Status(Code::InvalidInput, "the text cannot be encoded");
  auto size = static_cast<size_t>(request.window);
  if (request.window > session.context())
    return Status(Code::InvalidInput, "--ctx: expected at most " +
                                          std::to_string(session.context()) +
                                          " (the context), found " +
                                          std::to_string(request.window));
  if (ids.size() < size)
    return Status(Code::InvalidInput,
                  "expected a text of at least " + std::to_string(size) +
                      " tokens (--ctx), found " + std::to_string(ids.size()));
  for (size_t at = 0; at + size <= ids.size() && windows < request.windows;
       at += size) {
    if (bos >= 0) ids[at] = bos;
    Status status = scoreWindow(std::span(ids).subspan(at, size));
    if (!status.ok()) return status;
  }
  return {};
}

void printResult(const Evaluation &evaluation, bool json) {
  if (!json) {
    if (evaluation.scored > 0)
      printf("perplexity %.6f over %lld of %lld tokens, %lld windows, %.2f s\n",
             evaluation.perplexity(), static_cast<long long>(evaluation.scored),
             static_cast<long long>(evaluation.fed),
             static_cast<long long>(evaluation.windows), evaluation.seconds);
    if (evaluation.scored > 0 && evaluation.compares())
      printf("divergence %.6f, 99.9 %% below %.6f; same top token %.2f %%\n",
             evaluation.meanDivergence(), evaluation.highDivergence(),
             evaluation.sameTop() * 100);
    return;
  }
  nlohmann::ordered_json object;
  object["perplexity"] = nullptr;
  if (evaluation.scored > 0) object["perplexity"] = evaluation.perplexity();
  object["tokens"] = evaluation.fed;
  object["scored"] = evaluation.scored;
  object["windows"] = evaluation.windows;
  object["seconds"] = evaluation.seconds;
  if (evaluation.compares()) {
    object["kl_mean"] = object["kl_p999"] = object["top1"] = nullptr;
    if (evaluation.scored > 0) {
      object["kl_mean"] = evaluation.meanDivergence();
      object["kl_p999"] = evaluation.highDivergence();
      object["top1"] = evaluation.sameTop();
    }
  }
  printf("%s\n", object.dump().c_str());
}

}  // namespace

int runEval(const Program &program, Words words) {
  std::vector<Flag> flags = withEngineFlags(kFlags);
  Arguments arguments;
  int code = 0;
  if (!parseWords("eval", "--text FILE | --tokens FILE [FLAGS]", words, flags,
                  arguments, code))
    return code;
  Request request;
  Status status = readRequest(arguments, request);
  if (!status.ok()) return report(status);
  const std::string &path =
      request.tokensFile.empty() ? request.textFile : request.tokensFile;
  Result<std::string> input = readFile(path);
  if (!input.ok()) return report(input.status());
  std::vector<int32_t> ids;
  if (!request.tokensFile.empty()) {
    auto parsed = parseIds(*input);
    if (!parsed.ok()) return report(parsed.status().in(path));
    ids = std::move(*parsed);
  }
  Model model;
  Engine engine;
  status = startModel(program, request.engine, model, engine);
  if (!status.ok()) return report(status);
  Evaluation evaluation(model, engine, request);
  status = evaluation.openReference();
  if (status.ok())
    status = request.tokensFile.empty() ? evaluation.scoreText(*input)
                                        : evaluation.scoreTokens(ids);
  if (status.ok()) printResult(evaluation, arguments.isSet("--json"));
  return report(status);
}

}  // namespace gemma
