// SPDX-License-Identifier: Apache-2.0
// The importer's part of the metadata section, as JSON. Keys are sorted, so
// the same checkpoint gives the same bytes; text that is not UTF-8 is mended.
#include <nlohmann/json.hpp>

#include "compiler/importer/Importer.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using Json = nlohmann::json;

namespace gemmac::importer {
namespace {

template <typename T>
void set(Json &object, const char *key, const std::optional<T> &value) {
  if (value) object[key] = *value;
}

Json describeGeneration(const GenerationDefaults &from) {
  Json result = Json::object();
  set(result, "do_sample", from.doSample);
  set(result, "temperature", from.temperature);
  set(result, "top_k", from.topK);
  set(result, "top_p", from.topP);
  set(result, "min_p", from.minP);
  set(result, "repetition_penalty", from.repetitionPenalty);
  return result;
}

}  // namespace

std::string makeMetadata(const Checkpoint &checkpoint) {
  const ModelConfig &config = checkpoint.config;
  Json sources = Json::array();
  for (const std::string &file : checkpoint.files) {
    uint64_t bytes = 0;
    // The file was read a moment ago; packaging reports it if it is gone.
    (void)llvm::sys::fs::file_size(file, bytes);
    sources.push_back(
        {{"file", llvm::sys::path::filename(file).str()}, {"bytes", bytes}});
  }
  Json generation = describeGeneration(config.generation);
  // Where the runtime reads it, and beside the other ids.
  if (!config.suppressedTokens.empty())
    generation["suppress_tokens"] = config.suppressedTokens;
  Json root = {
      {"name", config.name},
      {"architecture", config.architecture},
      {"sizes",
       {{"vocabulary", config.vocabulary},
        {"width", config.width},
        {"layers", config.layers},
        {"heads", config.heads},
        {"kv_heads", config.kvHeads},
        {"head_dim", config.headDim},
        {"ffn", config.ffn},
        {"context", config.context}}},
      {"sources", std::move(sources)},
      {"bos", config.bosId},
      {"eos", config.eosIds},
      {"generation", std::move(generation)},
      {"chat_template", chatTemplateName(config.chatTemplate).str()},
      {"suppress_tokens", config.suppressedTokens},
      {"licence", config.licence},
      {"tokens",
       checkpoint.tokenizer ? checkpoint.tokenizer->pieces.size() : 0},
  };
  return root.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gemmac::importer
