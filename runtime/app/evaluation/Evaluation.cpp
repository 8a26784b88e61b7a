// SPDX-License-Identifier: Apache-2.0
// Windows, one after the other: what is fed, which rows are scored, and what is
// done with a row's logits while they live. See Evaluation.h.
#include "runtime/app/evaluation/Evaluation.h"

#include <algorithm>
#include <cmath>

#include "runtime/app/evaluation/LogProbability.h"
#include "runtime/model/Clock.h"

namespace gemma {

double Evaluation::perplexity() const {
  return std::exp(loss / static_cast<double>(scoredTokens));
}

Status Evaluation::openReference(bool isText) {
  if (options.referenceFile.empty()) return {};
  Status status = reference.open(options.referenceFile);
  if (status.ok() && reference.isFile() && isText)
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

// Logits of the first half are computed only where a file wants them.
Status Evaluation::feed(std::span<const int32_t> ids) {
  size_t unscored = logitsFile.isOpen() ? 0 : ids.size() / 2;
  auto chunk = static_cast<int32_t>(options.chunk);
  Status status;
  if (unscored > 0)
    status = session.feed(ids.first(unscored), Wanted::None, nullptr, chunk);
  if (!status.ok()) return status;
  return session.feed(
      ids.subspan(unscored), Wanted::All,
      [&](size_t row, auto logits) { score(ids, unscored + row, logits); },
      chunk);
}

void Evaluation::score(std::span<const int32_t> ids, size_t row,
                       std::span<const float> logits) {
  size_t first = ids.size() / 2, last = ids.size() - 1;
  if (logitsFile.isOpen()) logitsFile.write(logits);
  if (row == last && lastLogitsFile.isOpen()) lastLogitsFile.write(logits);
  if (row < first || row >= last) return;
  loss += logSumExp(logits, engine.threads()) - logits[ids[row + 1]];
  ++scoredTokens;
  if (compares() && compared.ok()) compared = compare(row, logits);
}

Status Evaluation::scoreWindow(std::span<const int32_t> ids) {
  session.reset();
  referenceRows = 0;
  compared = {};
  Status status;
  if (compares())
    status = reference.begin(ids, model.code().vocabulary,
                             engine.threads().threadCount());
  if (!status.ok()) return status;
  double start = monotonicSeconds();
  status = feed(ids);
  spent += monotonicSeconds() - start;
  fedTokens += static_cast<int64_t>(ids.size());
  ++windowCount;
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
  if (!options.logitsFile.empty())
    status = logitsFile.create(options.logitsFile, static_cast<int64_t>(rows),
                               columns);
  if (status.ok() && !options.lastLogitsFile.empty())
    status = lastLogitsFile.create(options.lastLogitsFile, 0, columns);
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
  auto size = static_cast<size_t>(options.window);
  if (options.window > session.context())
    return Status(Code::InvalidInput, "--ctx: expected at most " +
                                          std::to_string(session.context()) +
                                          " (the context), found " +
                                          std::to_string(options.window));
  if (ids.size() < size)
    return Status(Code::InvalidInput,
                  "expected a text of at least " + std::to_string(size) +
                      " tokens (--ctx), found " + std::to_string(ids.size()));
  for (size_t at = 0; at + size <= ids.size() && windowCount < options.windows;
       at += size) {
    if (bos >= 0) ids[at] = bos;
    Status status = scoreWindow(std::span(ids).subspan(at, size));
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace gemma
