// SPDX-License-Identifier: Apache-2.0
// Evaluation: tokens or a text -> perplexity, logits as NumPy files, and the
// distance from another model's logits. A text is cut into windows in the way
// of llama.cpp's perplexity tool: `window` tokens each, BOS in place of the
// first, the second half scored. Tokens are one window, as they are. Prints
// nothing. Source: llama.cpp, tools/perplexity/perplexity.cpp.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_EVALUATION_H
#define GEMMA_RUNTIME_APP_EVALUATION_EVALUATION_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/app/evaluation/NpyFile.h"
#include "runtime/app/evaluation/Reference.h"
#include "runtime/model/Session.h"

namespace gemma {

struct EvaluationOptions {
  int64_t window = 512;
  int64_t windows = INT64_MAX;  // at most
  int64_t chunk = 0;            // tokens a call; 0: as many as fit
  // Empty: none. The first two are written, of scoreTokens alone.
  std::string logitsFile, lastLogitsFile, referenceFile;
};

class Evaluation {
 public:
  // `context` as a session takes it. Both references must outlive it.
  Evaluation(Engine &engine, int32_t context, const EvaluationOptions &options)
      : model(engine.model()),
        engine(engine),
        options(options),
        session(engine, context) {}

  // Before any window. `isText`: scoreText will be called, which a reference
  // in a file is not made for.
  Status openReference(bool isText);
  Status scoreTokens(const std::vector<int32_t> &ids);
  Status scoreText(const std::string &text);

  int64_t scored() const { return scoredTokens; }
  int64_t fed() const { return fedTokens; }
  int64_t windows() const { return windowCount; }
  double seconds() const { return spent; }
  double perplexity() const;

  bool compares() const { return reference.isOpen(); }
  // Of the reference's probabilities: the mean, and what 99.9 % are below.
  double meanDivergence() const;
  double highDivergence() const;
  // Of all scored rows, the share whose likeliest token is the same.
  double sameTop() const {
    return static_cast<double>(sameTops) / static_cast<double>(scoredTokens);
  }

 private:
  Status scoreWindow(std::span<const int32_t> ids);
  Status feed(std::span<const int32_t> ids);
  void score(std::span<const int32_t> ids, size_t row,
             std::span<const float> logits);
  Status openFiles(size_t rows);
  Status compare(size_t row, std::span<const float> logits);

  const Model &model;
  Engine &engine;
  const EvaluationOptions &options;
  Session session;
  NpyFile logitsFile, lastLogitsFile;
  double loss = 0, spent = 0;
  int64_t scoredTokens = 0, fedTokens = 0, windowCount = 0;
  Reference reference;
  std::vector<float> referenceRow;
  size_t referenceRows = 0;  // read in this window
  Status compared;           // of this window
  std::vector<double> divergences;
  int64_t sameTops = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_EVALUATION_H
