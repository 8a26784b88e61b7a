// SPDX-License-Identifier: Apache-2.0
// Range checks over a ModelConfig; see the header.
#include "compiler/importer/models/ModelChecks.h"

#include <cmath>

#include "compiler/importer/CheckpointFile.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

struct Bound {
  const char *what;
  int64_t value, most;
};

Error checkSizes(const ModelConfig &config, StringRef file) {
  // Far above every published Gemma, and low enough that rows * columns of any
  // matrix stays below 2^48.
  const Bound bounds[] = {
      {"vocabulary", config.vocabulary, 1 << 22},
      {"width", config.width, 1 << 17},
      {"layers", config.layers, 1024},
      {"attention heads", config.heads, 1024},
      {"key-value heads", config.kvHeads, 1024},
      {"head width", config.headDim, 4096},
      {"feed-forward width", config.ffn, 1 << 20},
      {"context", config.context, 1 << 24},
  };
  for (const Bound &bound : bounds)
    if (bound.value < 1 || bound.value > bound.most)
      return importError(file + ": " + bound.what + ": expected 1 to " +
                         Twine(bound.most) + ", found " + Twine(bound.value));
  if (config.heads % config.kvHeads)
    return importError(file + ": expected attention heads in multiples of " +
                       Twine(config.kvHeads) + " key-value heads, found " +
                       Twine(config.heads));
  if (config.headDim % 2)
    return importError(file + ": expected an even head width, found " +
                       Twine(config.headDim));
  if (int64_t(config.sliding.size()) != config.layers)
    return importError(file + ": expected layer types for " +
                       Twine(config.layers) + " layers, found " +
                       Twine(config.sliding.size()));
  bool slides = is_contained(config.sliding, true);
  if (slides && (config.window < 1 || config.window > (1 << 24)))
    return importError(file +
                       ": sliding window: expected 1 to 16777216, "
                       "found " +
                       Twine(config.window));
  return Error::success();
}

// The compiled model holds each of these as f32: it must not become 0 or inf.
Error checkPositive(StringRef file, const char *what, double value) {
  float narrow = float(value);
  if (std::isfinite(narrow) && narrow > 0) return Error::success();
  return importError(file + ": " + what +
                     ": expected a positive number, "
                     "found " +
                     std::to_string(value));
}

void addId(std::vector<int32_t> &ids, int32_t id) {
  if (!is_contained(ids, id)) ids.push_back(id);
}

}  // namespace

Error checkConfig(const ModelConfig &config, StringRef file) {
  if (Error error = checkSizes(config, file)) return error;
  const std::pair<const char *, double> numbers[] = {
      {"norm epsilon", config.eps},
      {"rope theta", config.ropeTheta},
      {"local rope theta", config.ropeLocalTheta},
      {"rope factor", config.ropeFactor},
      {"local rope factor", config.ropeLocalFactor},
      {"query_pre_attn_scalar", config.queryPreAttentionScalar}};
  for (auto [what, value] : numbers)
    if (Error error = checkPositive(file, what, value)) return error;
  for (auto [what, cap] :
       {std::pair("attention softcap", config.attentionSoftcap),
        std::pair("final softcap", config.finalSoftcap)})
    if (cap != 0)
      if (Error error = checkPositive(file, what, cap)) return error;
  return Error::success();
}

Error resolveSpecialTokens(Checkpoint &checkpoint, StringRef file) {
  ModelConfig &config = checkpoint.config;
  if (checkpoint.tokenizer) {
    auto &pieces = checkpoint.tokenizer->pieces;
    if (int64_t(pieces.size()) > config.vocabulary)
      return importError(
          file + ": expected at most " + Twine(config.vocabulary) +
          " tokens, one for each embedding row, found " + Twine(pieces.size()));
    bool chats = config.chatTemplate == ChatTemplate::Gemma ||
                 config.chatTemplate == ChatTemplate::Gemma3;
    for (auto [id, piece] : enumerate(pieces))
      if (piece.text == "<eos>" || (chats && piece.text == "<end_of_turn>"))
        addId(config.eosIds, int32_t(id));
    if (!checkpoint.tokenizer->addBos) config.bosId = -1;
  }
  for (auto [what, ids] :
       {std::pair("end token", &config.eosIds),
        std::pair("suppressed token", &config.suppressedTokens)})
    for (int32_t id : *ids)
      if (id < 0 || id >= config.vocabulary)
        return importError(file + ": " + what + ": expected an id below " +
                           Twine(config.vocabulary) + ", found " + Twine(id));
  if (config.bosId < -1 || config.bosId >= config.vocabulary)
    return importError(file + ": first token: expected an id below " +
                       Twine(config.vocabulary) + ", found " +
                       Twine(config.bosId));
  return Error::success();
}

void setLayerPattern(ModelConfig &config, int64_t period) {
  config.sliding.assign(size_t(config.layers), false);
  if (config.window > 0)
    for (int64_t i = 0; i < config.layers; ++i)
      config.sliding[size_t(i)] = period != 0 && (i + 1) % period != 0;
}

}  // namespace gemmac::importer
