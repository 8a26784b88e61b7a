// SPDX-License-Identifier: Apache-2.0
// config.json field by field, then the files beside it; see the header.
#include "compiler/importer/huggingface/HuggingFaceConfig.h"

#include "compiler/importer/huggingface/JsonFields.h"
#include "compiler/importer/models/Architectures.h"
#include "compiler/importer/models/ModelChecks.h"
#include "compiler/importer/tokenizer/SentencePieceModel.h"
#include "compiler/importer/tokenizer/TokenizerJson.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using Json = nlohmann::json;

namespace gemmac::importer {
namespace {

constexpr uint64_t kMaxConfigBytes = 16 << 20;
constexpr uint64_t kMaxTextBytes = 64 << 20;

// The architecture, nullptr after a refusal by name.
const Architecture *checkModel(JsonFields &root, ModelConfig &config) {
  std::string type = root.string("model_type").value_or("");
  const Architecture *architecture = lookupModelType(type);
  config.architecture = architecture ? architecture->name : printable(type);
  if (!architecture) {
    root.refuse("unsupported model_type '" + printable(type) + "'" +
                describeUnsupported(type) + ", expected " + knownModelTypes());
    return nullptr;
  }
  const Json *names = root.find("architectures");
  if (names && names->is_array() && !names->empty()) {
    std::string name =
        names->front().is_string() ? names->front().get<std::string>() : "";
    if (!is_contained(architecture->classes, name))
      root.refuse("unsupported architecture '" + printable(name) + "'" +
                  describeUnsupported(name) + ", expected " +
                  quotedList(architecture->classes));
  }
  if (const Json *scheme = root.child("quantization_config")) {
    JsonFields fields(*scheme, "");
    root.refuse("unsupported quantization_config '" +
                printable(fields.string("quant_method").value_or("")) +
                "', expected plain weights");
  }
  return architecture;
}

template <typename T>
void set(T &to, const std::optional<T> &value) {
  if (value) to = *value;
}

// `config` comes with the architecture's defaults.
void readSizes(JsonFields &fields, ModelConfig &config) {
  set(config.vocabulary, fields.integer("vocab_size"));
  set(config.width, fields.integer("hidden_size"));
  set(config.ffn, fields.integer("intermediate_size"));
  set(config.layers, fields.integer("num_hidden_layers"));
  set(config.heads, fields.integer("num_attention_heads"));
  set(config.kvHeads, fields.integer("num_key_value_heads"));
  set(config.headDim, fields.integer("head_dim"));
  set(config.context, fields.integer("max_position_embeddings"));
  set(config.eps, fields.number("rms_norm_eps"));
  if (fields.boolean("attention_bias").value_or(false))
    fields.fail("attention_bias", "false, found true");
  if (fields.boolean("use_bidirectional_attention").value_or(false))
    fields.fail("use_bidirectional_attention",
                "false, found true (an encoder such as EmbeddingGemma)");
  // "gelu" of the first configs also means the tanh form.
  const char *key =
      fields.find("hidden_activation") ? "hidden_activation" : "hidden_act";
  std::string act = fields.string(key).value_or("gelu_pytorch_tanh");
  if (act != "gelu_pytorch_tanh" && act != "gelu")
    fields.fail(key, "'gelu_pytorch_tanh', found '" + printable(act) + "'");
}

// What Gemma 1 has no fields for: scores are divided by sqrt(head_dim), and
// nothing is capped.
void readAttentionScale(JsonFields &fields, ModelConfig &config) {
  config.queryPreAttentionScalar = double(config.headDim);
  if (config.architecture == "gemma") return;
  config.queryPreAttentionScalar =
      fields.number("query_pre_attn_scalar").value_or(256);
  // A null says that there is no cap, whatever the class's default.
  if (fields.has("attn_logit_softcapping"))
    config.attentionSoftcap =
        fields.number("attn_logit_softcapping").value_or(0);
  if (fields.has("final_logit_softcapping"))
    config.finalSoftcap = fields.number("final_logit_softcapping").value_or(0);
}

void readLayerTypes(JsonFields &fields, const Architecture &architecture,
                    ModelConfig &config) {
  // A hostile count must not size the pattern; checkConfig words the refusal.
  if (config.layers < 1 || config.layers > 1024) return;
  if (architecture.period == 0) return setLayerPattern(config, 0);
  set(config.window, fields.integer("sliding_window"));
  const Json *types = fields.find("layer_types");
  if (!types) {
    const char *key = fields.find("sliding_window_pattern")
                          ? "sliding_window_pattern"
                          : "_sliding_window_pattern";
    int64_t period = fields.integer(key).value_or(architecture.period);
    if (period < 1) return fields.fail(key, "a positive integer");
    return setLayerPattern(config, period);
  }
  if (!types->is_array()) return fields.fail("layer_types", "a list");
  for (const Json &type : *types) {
    if (type != "sliding_attention" && type != "full_attention")
      return fields.fail("layer_types",
                         "'sliding_attention' or 'full_attention'");
    config.sliding.push_back(type == "sliding_attention");
  }
}

// One rope dictionary: its type must be known; returns the factor.
double readRopeDictionary(JsonFields &config, const Json *dictionary,
                          const char *key, StringRef file, double &theta) {
  if (!dictionary) return 1;
  JsonFields fields(*dictionary, file);
  if (auto found = fields.number("rope_theta")) theta = *found;
  const char *name = fields.find("rope_type") ? "rope_type" : "type";
  std::string type = fields.string(name).value_or("default");
  auto factor = fields.number("factor");
  if (type != "default" && type != "linear")
    config.fail(key, "rope_type 'default' or 'linear', found '" +
                         printable(type) + "'");
  else if (type == "linear" && !factor)
    config.fail(key, "a factor beside rope_type 'linear'");
  if (Error error = fields.takeError())
    config.refuse(toString(std::move(error)));
  return type == "linear" ? factor.value_or(1) : 1;
}

// One rope for all layers. transformers 5: rope_parameters. Before: rope_theta
// and rope_scaling.
void readOneRope(JsonFields &fields, StringRef file, ModelConfig &config) {
  set(config.ropeTheta, fields.number("rope_theta"));
  const char *key =
      fields.find("rope_parameters") ? "rope_parameters" : "rope_scaling";
  config.ropeFactor = readRopeDictionary(fields, fields.child(key), key, file,
                                         config.ropeTheta);
  config.ropeLocalTheta = config.ropeTheta;
  config.ropeLocalFactor = config.ropeFactor;
}

// Gemma 3. transformers 5: rope_parameters with a dictionary a layer type.
// Before: rope_theta, rope_local_base_freq and rope_scaling for full layers.
void readTwoRopes(JsonFields &fields, StringRef file, ModelConfig &config) {
  set(config.ropeTheta, fields.number("rope_theta"));
  set(config.ropeLocalTheta, fields.number("rope_local_base_freq"));
  const Json *parameters = fields.child("rope_parameters");
  if (!parameters) {
    config.ropeFactor =
        readRopeDictionary(fields, fields.child("rope_scaling"), "rope_scaling",
                           file, config.ropeTheta);
    return;
  }
  JsonFields kinds(*parameters, file);
  config.ropeFactor =
      readRopeDictionary(fields, kinds.child("full_attention"),
                         "rope_parameters", file, config.ropeTheta);
  double local =
      readRopeDictionary(fields, kinds.child("sliding_attention"),
                         "rope_parameters", file, config.ropeLocalTheta);
  if (local != 1)
    fields.fail("rope_parameters", "sliding layers without a factor");
  if (Error error = kinds.takeError())
    fields.refuse(toString(std::move(error)));
}

std::string readDtype(JsonFields &root, JsonFields &text,
                      const Checkpoint &checkpoint) {
  for (JsonFields *fields : {&text, &root})
    for (const char *key : {"dtype", "torch_dtype"})
      if (auto name = fields->string(key)) {
        if (*name == "bfloat16") return "bf16";
        if (*name == "float16") return "f16";
        if (*name == "float32") return "f32";
        root.fail(key, "'bfloat16', 'float16' or 'float32', found '" +
                           printable(*name) + "'");
      }
  const CheckpointTensor *embedding = checkpoint.find("embed_tokens.weight");
  return embedding ? embedding->format : "f32";
}

std::string inFolder(StringRef folder, StringRef name) {
  SmallString<256> path(folder);
  sys::path::append(path, name);
  return std::string(path);
}

Error readGenerationConfig(StringRef folder, ModelConfig &config) {
  std::string path = inFolder(folder, "generation_config.json");
  if (!sys::fs::exists(path)) return Error::success();
  auto root = readJsonFile(path, kMaxConfigBytes);
  if (!root) return root.takeError();
  JsonFields fields(*root, path);
  if (auto ids = fields.tokens("eos_token_id")) config.eosIds = *ids;
  if (auto id = fields.integer("bos_token_id"))
    config.bosId = *id >= 0 && *id < (1 << 22) ? int32_t(*id) : -2;
  if (auto ids = fields.tokens("suppress_tokens"))
    config.suppressedTokens = *ids;
  GenerationDefaults &to = config.generation;
  to.doSample = fields.boolean("do_sample");
  to.temperature = fields.number("temperature");
  to.topK = fields.integer("top_k");
  to.topP = fields.number("top_p");
  to.minP = fields.number("min_p");
  to.repetitionPenalty = fields.number("repetition_penalty");
  return fields.takeError();
}

// Three places, the newest first.
Expected<std::string> findChatTemplate(StringRef folder) {
  std::string path = inFolder(folder, "chat_template.jinja");
  if (sys::fs::exists(path)) {
    auto text = openFile(path, kMaxTextBytes);
    if (!text) return text.takeError();
    return (*text)->getBuffer().str();
  }
  for (const char *name : {"chat_template.json", "tokenizer_config.json"}) {
    path = inFolder(folder, name);
    if (!sys::fs::exists(path)) continue;
    auto root = readJsonFile(path, kMaxTextBytes);
    if (!root) return root.takeError();
    auto found = root->find("chat_template");
    if (found == root->end() || found->is_null()) continue;
    if (found->is_string()) return found->get<std::string>();
    // Several named templates: the default one is what a chat uses.
    if (found->is_array())
      for (const Json &entry : *found)
        if (entry.is_object() && entry.value("name", Json()) == "default" &&
            entry.value("template", Json()).is_string())
          return entry["template"].get<std::string>();
    return importError(path + ": chat_template: expected a string");
  }
  return std::string();
}

Error readSentencePiece(StringRef path, Checkpoint &to) {
  auto bytes = openFile(path);
  if (!bytes) return bytes.takeError();
  auto model = readSentencePieceModel((*bytes)->getBuffer());
  if (!model) return importError(path + ": " + model.message());
  to.tokenizer = *std::move(model);
  to.tokenizerSource = "tokenizer.model";
  return Error::success();
}

// A piece's name, which may also be the content of an added token.
void readRole(const Json &config, const char *key, std::string &role) {
  auto found = config.find(key);
  if (found == config.end()) return;
  Json value = found->is_object() ? found->value("content", Json()) : *found;
  if (value.is_string()) role = value.get<std::string>();
}

Error readRoles(StringRef folder, TokenizerRoles &roles) {
  std::string path = inFolder(folder, "tokenizer_config.json");
  if (!sys::fs::exists(path)) return Error::success();
  auto config = readJsonFile(path, kMaxTextBytes);
  if (!config) return config.takeError();
  readRole(*config, "bos_token", roles.bos);
  readRole(*config, "eos_token", roles.eos);
  readRole(*config, "pad_token", roles.pad);
  JsonFields fields(*config, path);
  roles.addBos = fields.boolean("add_bos_token").value_or(true);
  return fields.takeError();
}

Error readJsonTokenizer(StringRef folder, StringRef path, Checkpoint &to) {
  TokenizerRoles roles;
  if (Error error = readRoles(folder, roles)) return error;
  auto root = readJsonFile(path, kMaxTextBytes);
  if (!root) return root.takeError();
  auto model = readTokenizerJson(*root, roles);
  if (!model) return importError(path + ": " + model.message());
  to.tokenizer = *std::move(model);
  to.tokenizerSource = "tokenizer.json";
  return Error::success();
}

// Both hold the same vocabulary; the older file is read several times faster.
Error readTokenizer(StringRef folder, Checkpoint &to) {
  std::string path = inFolder(folder, "tokenizer.model");
  if (sys::fs::exists(path)) return readSentencePiece(path, to);
  path = inFolder(folder, "tokenizer.json");
  if (sys::fs::exists(path)) return readJsonTokenizer(folder, path, to);
  return Error::success();
}

// Numbers, texts and lists under their keys, "text_config.hidden_size".
void addSettings(const Json &object, const std::string &prefix,
                 Checkpoint &to) {
  for (const auto &[key, value] : object.items()) {
    std::string name = prefix + key;
    if (value.is_object())
      addSettings(value, name + ".", to);
    else
      to.settings.emplace_back(
          printable(name),
          printable(value.is_string() ? value.get<std::string>()
                                      : value.dump(-1, ' ', true)));
  }
}

}  // namespace

Error readHuggingFaceConfig(const Json &root, StringRef file, Checkpoint &to) {
  JsonFields top(root, file);
  ModelConfig &config = to.config;
  const Architecture *architecture = checkModel(top, config);
  bool multimodal = top.string("model_type").value_or("") == "gemma3";
  const Json *inner = multimodal ? top.child("text_config") : nullptr;
  if (multimodal && !inner) top.refuse("text_config: expected an object");
  if (Error error = top.takeError()) return error;
  JsonFields fields(inner ? *inner : root, file);
  config = architecture->defaults;
  config.gainOffset = 1;
  readSizes(fields, config);
  readAttentionScale(fields, config);
  readLayerTypes(fields, *architecture, config);
  if (architecture->hasLocalRope)
    readTwoRopes(fields, file, config);
  else
    readOneRope(fields, file, config);
  config.tied =
      top.boolean("tie_word_embeddings")
          .value_or(fields.boolean("tie_word_embeddings").value_or(true));
  config.dtype = readDtype(top, fields, to);
  for (JsonFields *level : {&fields, &top}) {
    if (auto ids = level->tokens("eos_token_id")) config.eosIds = *ids;
    if (auto ids = level->tokens("bos_token_id"))
      config.bosId = ids->size() == 1 ? ids->front() : -2;
  }
  if (!fields.find("eos_token_id") && !top.find("eos_token_id"))
    config.eosIds = {1};
  if (!fields.find("bos_token_id") && !top.find("bos_token_id"))
    config.bosId = 2;
  for (JsonFields *level : {&fields, &top})
    if (Error error = level->takeError()) return error;
  if (Error error = checkConfig(config, file)) return error;
  // In f32, as Hugging Face computes it when a model runs in f32: activations
  // here are f32 whatever the checkpoint's dtype.
  config.embeddingScale = std::sqrt(float(config.width));
  if (multimodal)
    to.warnings.push_back((file + ": only the language model is taken; images "
                                  "are not supported")
                              .str());
  return Error::success();
}

Error readHuggingFaceFolder(StringRef folder, Checkpoint &to) {
  to.config.name = sys::path::filename(folder).str();
  std::string path = inFolder(folder, "config.json");
  if (!sys::fs::exists(path))
    return importError(path + ": expected a config.json beside the weights");
  auto root = readJsonFile(path, kMaxConfigBytes);
  if (!root) return root.takeError();
  addSettings(*root, "", to);
  if (Error error = readHuggingFaceConfig(*root, path, to)) return error;
  ModelConfig &config = to.config;
  config.name = sys::path::filename(folder).str();
  if (Error error = readGenerationConfig(folder, config)) return error;
  auto text = findChatTemplate(folder);
  if (!text) return text.takeError();
  config.chatTemplate = recogniseChatTemplate(*text);
  if (Error error = readTokenizer(folder, to)) return error;
  return resolveSpecialTokens(to, path);
}

}  // namespace gemmac::importer
