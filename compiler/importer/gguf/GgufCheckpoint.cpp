// SPDX-License-Identifier: Apache-2.0
// A GGUF file's keys to a Checkpoint. Keys: "<architecture>.…" for sizes,
// "tokenizer.ggml.…" for the vocabulary. What the format does not store (the
// attention scale, the layer pattern, the local rope base) follows llama.cpp,
// whose numbers these files were made for. Source: gguf-py's constants.
#include <cmath>

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/gguf/Gguf.h"
#include "compiler/importer/models/Architectures.h"
#include "compiler/importer/models/ModelChecks.h"
#include "compiler/importer/tokenizer/GgufVocabulary.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

// Looks keys up under a prefix and keeps the first failure.
class Keys {
 public:
  Keys(const GgufFile &file, StringRef prefix) : file(file), prefix(prefix) {}

  const GgufValue *find(StringRef key) const {
    return file.find((prefix + "." + key).str());
  }
  int64_t integer(StringRef key, std::optional<int64_t> fallback = {}) {
    return read<int64_t>(key, "an integer", fallback,
                         [](const GgufValue &v) { return v.integer(); });
  }
  double number(StringRef key, std::optional<double> fallback = {}) {
    return read<double>(key, "a finite number", fallback,
                        [](const GgufValue &v) { return v.number(); });
  }
  bool boolean(StringRef key, bool fallback) {
    return read<bool>(key, "a boolean", fallback,
                      [](const GgufValue &v) { return v.boolean(); });
  }
  std::string string(StringRef key, StringRef fallback = "") {
    return read<std::string>(
        key, "a string", fallback.str(), [](const GgufValue &v) {
          return v.isString() ? std::optional(v.bytes.str()) : std::nullopt;
        });
  }
  void fail(const Twine &message) {
    if (refusal.empty()) refusal = (file.path + ": " + message).str();
  }
  Error takeError() const {
    return refusal.empty() ? Error::success() : importError(refusal);
  }

 private:
  template <typename T, typename Convert>
  T read(StringRef key, const char *kind, std::optional<T> fallback,
         Convert convert) {
    std::string name = (prefix + "." + key).str();
    const GgufValue *value = file.find(name);
    if (!value) {
      if (!fallback) fail("missing key " + name);
      return fallback.value_or(T());
    }
    std::optional<T> result = convert(*value);
    if (!result) fail("key " + name + ": expected " + kind);
    return result.value_or(T());
  }

  const GgufFile &file;
  std::string prefix, refusal;
};

void readSizes(Keys &keys, Checkpoint &to) {
  ModelConfig &config = to.config;
  const CheckpointTensor *table = to.find("embed_tokens.weight");
  if (!table || table->shape.size() != 2)
    keys.fail("missing tensor token_embd.weight, a matrix");
  else
    config.vocabulary = table->shape[0];
  config.width = keys.integer("embedding_length");
  config.layers = keys.integer("block_count");
  config.heads = keys.integer("attention.head_count");
  config.kvHeads = keys.integer("attention.head_count_kv", config.heads);
  config.headDim = keys.integer("attention.key_length", config.headDim);
  config.ffn = keys.integer("feed_forward_length");
  config.context = keys.integer("context_length");
  config.eps = keys.number("attention.layer_norm_rms_epsilon");
  for (const char *key : {"attention.value_length", "rope.dimension_count"})
    if (int64_t found = keys.integer(key, config.headDim);
        found != config.headDim)
      keys.fail(Twine(key) + ": expected the head width " +
                Twine(config.headDim) + ", found " + Twine(found));
  // Gemma 1 has none.
  if (config.architecture == "gemma") return;
  config.attentionSoftcap =
      keys.number("attn_logit_softcapping", config.attentionSoftcap);
  config.finalSoftcap =
      keys.number("final_logit_softcapping", config.finalSoftcap);
}

void readRope(Keys &keys, const Architecture &architecture,
              ModelConfig &config) {
  config.ropeTheta = keys.number("rope.freq_base", config.ropeTheta);
  std::string type = keys.string("rope.scaling.type", "none");
  if (type == "linear")
    config.ropeFactor = keys.number("rope.scaling.factor");
  else if (type != "none")
    keys.fail("rope.scaling.type: expected 'none' or 'linear', found '" +
              printable(type) + "'");
  if (architecture.hasLocalRope) {
    config.ropeLocalTheta =
        keys.number("rope.freq_base_swa", config.ropeLocalTheta);
  } else {
    config.ropeLocalTheta = config.ropeTheta;
    config.ropeLocalFactor = config.ropeFactor;
  }
}

void readLayerPattern(Keys &keys, const GgufFile &file,
                      const Architecture &architecture, Checkpoint &to) {
  ModelConfig &config = to.config;
  // A hostile count must not size the pattern; checkConfig words the refusal.
  if (config.layers < 1 || config.layers > 1024) return;
  if (architecture.period == 0) return setLayerPattern(config, 0);
  // Without the key llama.cpp takes 4096 for Gemma 2 and none for Gemma 3.
  config.window = keys.integer("attention.sliding_window",
                               config.architecture == "gemma2" ? 4096 : 0);
  if (config.window == 0)
    to.warnings.push_back(file.path +
                          ": no attention.sliding_window: all layers attend "
                          "to all positions, as llama.cpp does");
  const GgufValue *pattern = keys.find("attention.sliding_window_pattern");
  if (pattern && pattern->type == GgufType::Array) {
    auto flags = pattern->numbers();
    if (!flags)
      return keys.fail(
          "attention.sliding_window_pattern: expected "
          "booleans");
    for (double flag : *flags)
      config.sliding.push_back(flag != 0 && config.window != 0);
    return;
  }
  int64_t period =
      keys.integer("attention.sliding_window_pattern", architecture.period);
  if (period < 1)
    return keys.fail(
        "attention.sliding_window_pattern: expected a positive "
        "period, found " +
        Twine(period));
  setLayerPattern(config, period);
}

std::optional<GgufVocabulary> readVocabulary(Keys &keys) {
  const GgufValue *tokens = keys.find("tokens");
  if (!tokens) return std::nullopt;
  GgufVocabulary result;
  result.model = keys.string("model", result.model);
  if (auto strings = tokens->strings())
    result.tokens = std::move(*strings);
  else
    keys.fail("tokenizer.ggml.tokens: expected an array of strings");
  if (const GgufValue *scores = keys.find("scores")) {
    auto numbers = scores->numbers();
    if (!numbers)
      keys.fail("tokenizer.ggml.scores: expected finite numbers");
    else
      result.scores.assign(numbers->begin(), numbers->end());
  }
  if (const GgufValue *types = keys.find("token_type")) {
    auto numbers = types->numbers();
    if (!numbers)
      keys.fail("tokenizer.ggml.token_type: expected numbers");
    else
      for (double type : *numbers)
        result.types.push_back(std::abs(type) < 1e6 ? int32_t(type) : -1);
  }
  if (const GgufValue *merges = keys.find("merges")) {
    if (auto strings = merges->strings())
      result.merges = std::move(*strings);
    else
      keys.fail("tokenizer.ggml.merges: expected an array of strings");
  }
  result.padId = keys.integer("padding_token_id", result.padId);
  result.eosId = keys.integer("eos_token_id", result.eosId);
  result.bosId = keys.integer("bos_token_id", result.bosId);
  result.unkId = keys.integer("unknown_token_id", result.unkId);
  result.addBos = keys.boolean("add_bos_token", true);
  result.addSpacePrefix = keys.boolean("add_space_prefix", false);
  return result;
}

Error readTokens(const GgufFile &file, Checkpoint &to) {
  Keys keys(file, "tokenizer.ggml");
  auto vocabulary = readVocabulary(keys);
  auto id = [&](const char *key, int64_t fallback) {
    int64_t found = keys.integer(key, fallback);
    if (found < -1 || found >= (1 << 22))
      keys.fail("tokenizer.ggml." + Twine(key) + ": token id " + Twine(found) +
                " is out of range");
    return int32_t(found);
  };
  to.config.bosId = id("bos_token_id", 2);
  to.config.eosIds.push_back(id("eos_token_id", 1));
  for (const char *key : {"eot_token_id", "eom_token_id"})
    if (keys.find(key)) to.config.eosIds.push_back(id(key, 1));
  if (!keys.boolean("add_bos_token", true)) to.config.bosId = -1;
  if (Error error = keys.takeError()) return error;
  if (!vocabulary) return Error::success();
  auto model = readGgufVocabulary(std::move(*vocabulary));
  if (!model) return importError(file.path + ": tokenizer: " + model.message());
  to.tokenizer = *std::move(model);
  to.tokenizerSource = "tokenizer.ggml";
  return Error::success();
}

Error checkSupported(const GgufFile &file, Keys &general,
                     const std::string &architecture) {
  if (Error error = general.takeError()) return error;
  if (architecture.empty())
    return importError(file.path + ": missing key general.architecture");
  if (!lookupArchitecture(architecture))
    return importError(file.path + ": unsupported architecture '" +
                       printable(architecture) + "'" +
                       describeUnsupported(architecture) + ", expected " +
                       knownArchitectures());
  std::string type = general.string("type", "model");
  if (type != "model")
    return importError(file.path + ": expected general.type 'model', found '" +
                       printable(type) + "'");
  return general.takeError();
}

// Keys and values but the long arrays.
void addSettings(const GgufFile &file, Checkpoint &to) {
  for (const auto &[key, value] : file.values) {
    std::string text;
    if (value.isString())
      text = printable(value.bytes);
    else if (value.type == GgufType::Array)
      text = "(" + std::to_string(value.count) + " entries)";
    else if (auto flag = value.boolean())
      text = *flag ? "true" : "false";
    else if (auto integer = value.integer())
      text = std::to_string(*integer);
    else if (auto number = value.number())
      raw_string_ostream(text) << format("%g", *number);
    to.settings.emplace_back(printable(key), text);
  }
}

// The softmax's scale, which the format does not store.
double queryPreAttentionScalar(const ModelConfig &config) {
  // Of Gemma 2 and 3 the 27B, known by its layers, divides by sqrt(D / H).
  bool is27B = (config.architecture == "gemma2" && config.layers == 46) ||
               (config.architecture == "gemma3" && config.layers == 62);
  return is27B ? double(config.width) / double(config.heads)
               : double(config.headDim);
}

Error readConfig(const GgufFile &file, Keys &general, Checkpoint &to) {
  ModelConfig &config = to.config;
  const Architecture &architecture = *lookupArchitecture(config.architecture);
  std::string name = config.name;
  config = architecture.defaults;
  config.name = name;
  config.gainOffset = 0;
  config.licence = general.string("license");
  Keys keys(file, config.architecture);
  readSizes(keys, to);
  readRope(keys, architecture, config);
  readLayerPattern(keys, file, architecture, to);
  for (const Keys *read : {&general, &keys})
    if (Error error = read->takeError()) return error;
  if (Error error = checkConfig(config, file.path)) return error;
  config.queryPreAttentionScalar = queryPreAttentionScalar(config);
  config.embeddingScale = std::sqrt(float(config.width));
  config.tied = to.find("lm_head.weight") == nullptr;
  return Error::success();
}

}  // namespace

Error readGgufCheckpoint(const GgufFile &file, Checkpoint &to) {
  addSettings(file, to);
  Keys general(file, "general");
  to.config.architecture = general.string("architecture");
  to.config.name = general.string("name", sys::path::stem(file.path));
  if (Error error = checkSupported(file, general, to.config.architecture))
    return error;
  if (Error error = readConfig(file, general, to)) return error;
  Keys tokenizer(file, "tokenizer");
  to.config.chatTemplate =
      recogniseChatTemplate(tokenizer.string("chat_template"));
  if (Error error = tokenizer.takeError()) return error;
  if (Error error = readTokens(file, to)) return error;
  return resolveSpecialTokens(to, file.path);
}

}  // namespace gemmac::importer
