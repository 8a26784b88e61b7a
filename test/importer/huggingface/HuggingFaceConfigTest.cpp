// SPDX-License-Identifier: Apache-2.0
// config.json: old and new spellings, defaults, and refusals by name.
#include "compiler/importer/huggingface/HuggingFaceConfig.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "compiler/importer/Importer.h"
#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

using Json = nlohmann::json;

std::string read(const Json &root, ModelConfig &config) {
  Checkpoint checkpoint;
  std::string message =
      llvm::toString(readHuggingFaceConfig(root, "config.json", checkpoint));
  config = checkpoint.config;
  return message;
}

std::string refusal(const char *key, const Json &value) {
  Json root = tinyConfig();
  root[key] = value;
  ModelConfig config;
  return read(root, config);
}

#define EXPECT_WORDS(message, words) \
  EXPECT_NE((message).find(words), std::string::npos) << (message)

TEST(HuggingFaceConfig, OmittedFieldsHaveTheClassDefaults) {
  ModelConfig config;
  // What a published 4B states.
  ASSERT_EQ(
      read({{"model_type", "gemma3"},
            {"torch_dtype", "bfloat16"},
            {"text_config",
             {{"hidden_size", 2560},
              {"intermediate_size", 10240},
              {"num_hidden_layers", 34},
              {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
              {"sliding_window", 1024}}}},
           config),
      "");
  EXPECT_EQ(config.vocabulary, 262208);
  EXPECT_EQ(config.heads, 8);
  EXPECT_EQ(config.kvHeads, 4);
  EXPECT_EQ(config.headDim, 256);
  EXPECT_EQ(config.context, 131072);
  EXPECT_EQ(config.ropeFactor, 8);
  EXPECT_EQ(config.ropeTheta, 1e6);
  EXPECT_EQ(config.ropeLocalTheta, 1e4);
  EXPECT_EQ(config.embeddingScale, std::sqrt(2560.0f));
  EXPECT_TRUE(config.tied);
  EXPECT_EQ(config.gainOffset, 1);
  EXPECT_EQ(config.eosIds, std::vector<int32_t>{1});
  for (int64_t i = 0; i < 34; ++i)
    EXPECT_EQ(config.sliding[i], (i + 1) % 6 != 0) << i;
}

TEST(HuggingFaceConfig, NewRopeFormEqualsOld) {
  Json root = tinyConfig();
  root["rope_parameters"] = {
      {"full_attention",
       {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 5e5}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 2e4}}}};
  ModelConfig fresh;
  ASSERT_EQ(read(root, fresh), "");
  root = tinyConfig();
  root["rope_theta"] = 5e5;
  root["rope_local_base_freq"] = 2e4;
  root["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  ModelConfig old;
  ASSERT_EQ(read(root, old), "");
  EXPECT_EQ(fresh.ropeFactor, 4);
  EXPECT_EQ(fresh.ropeFactor, old.ropeFactor);
  EXPECT_EQ(fresh.ropeTheta, old.ropeTheta);
  EXPECT_EQ(fresh.ropeLocalTheta, old.ropeLocalTheta);
}

TEST(HuggingFaceConfig, RefusesOtherModelsByName) {
  EXPECT_WORDS(refusal("model_type", "recurrent_gemma"), "recurrent_gemma");
  EXPECT_WORDS(refusal("model_type", "llama"),
               "unsupported model_type 'llama'");
  EXPECT_WORDS(refusal("architectures", Json::array({"Gemma3TextModel"})),
               "unsupported architecture 'Gemma3TextModel'");
  EXPECT_WORDS(refusal("quantization_config", {{"quant_method", "gptq"}}),
               "'gptq'");
  EXPECT_WORDS(refusal("attention_bias", true), "attention_bias");
  EXPECT_WORDS(refusal("use_bidirectional_attention", true), "bidirectional");
  EXPECT_WORDS(refusal("hidden_activation", "relu"), "found 'relu'");
  EXPECT_WORDS(refusal("rope_scaling", {{"rope_type", "yarn"}}),
               "found 'yarn'");
}

TEST(HuggingFaceConfig, RefusesHostileValues) {
  EXPECT_WORDS(refusal("hidden_size", -32), "width: expected 1 to");
  EXPECT_WORDS(refusal("hidden_size", "32"), "expected an integer");
  EXPECT_WORDS(refusal("hidden_size", 32.5), "expected an integer");
  EXPECT_WORDS(refusal("hidden_size", UINT64_MAX), "expected an integer");
  EXPECT_WORDS(refusal("num_hidden_layers", 4000000000), "layers: expected");
  EXPECT_WORDS(refusal("num_key_value_heads", 0), "key-value heads");
  EXPECT_WORDS(refusal("head_dim", 15), "even head width");
  EXPECT_WORDS(refusal("sliding_window_pattern", 0), "positive integer");
  EXPECT_WORDS(refusal("sliding_window", 0x7fffffff), "sliding window");
  EXPECT_WORDS(refusal("rms_norm_eps", 0), "norm epsilon");
  EXPECT_WORDS(refusal("rms_norm_eps", 1e-300), "norm epsilon");
  EXPECT_WORDS(refusal("query_pre_attn_scalar", -1), "query_pre_attn_scalar");
  EXPECT_WORDS(refusal("final_logit_softcapping", -30), "final softcap");
  EXPECT_WORDS(refusal("eos_token_id", -1), "token ids");
  EXPECT_WORDS(refusal("eos_token_id", Json::array({1, "x"})), "token ids");
  EXPECT_WORDS(refusal("layer_types", Json::array({"full_attention"})),
               "layer types for 2 layers, found 1");
  EXPECT_WORDS(refusal("layer_types", Json::array({"chunked", "chunked"})),
               "'sliding_attention' or 'full_attention'");
}

// A folder with tokenizer.json alone; roles come from tokenizer_config.json.
TEST(HuggingFaceFolder, TakesATokenizerJson) {
  TemporaryFolder folder;
  Json config = tinyConfig();
  config["vocab_size"] = 1003;
  folder.write("config.json", config.dump());
  folder.write("model.safetensors", safetensorsOf(tinyShapes()));
  std::filesystem::copy(GEMMAC_TOKENIZER_FIXTURES "/tokenizer.json",
                        folder.path);
  folder.write("tokenizer_config.json",
               R"({"bos_token":{"content":"<mask>"},"add_bos_token":true})");
  auto checkpoint = readCheckpoint(folder.path);
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->unsupported, "");
  EXPECT_EQ(checkpoint->tokenizerSource, "tokenizer.json");
  ASSERT_TRUE(checkpoint->tokenizer.has_value());
  const TokenizerModel &tokenizer = *checkpoint->tokenizer;
  EXPECT_EQ(tokenizer.pieces.size(), 901u);
  EXPECT_EQ(tokenizer.pieces[tokenizer.bosId].text, "<mask>");
  folder.write("tokenizer.json", R"({"model":{"type":"WordPiece"}})");
  checkpoint = readCheckpoint(folder.path);
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_WORDS(checkpoint->unsupported, "tokenizer.json: normalizer: expected");
}

TEST(ChatTemplateText, KnowsTheFamilyAndRefusesRelatives) {
  std::string gemma3 =
      "{{ bos_token }}{{ raise_exception(\"x\") }}{%- set role = \"model\" -%}"
      "{{ '<start_of_turn>' + role }}<end_of_turn>";
  EXPECT_EQ(recogniseChatTemplate(""), ChatTemplate::None);
  EXPECT_EQ(recogniseChatTemplate(gemma3), ChatTemplate::Gemma3);
  EXPECT_EQ(recogniseChatTemplate(gemma3 + "System role not supported"),
            ChatTemplate::Gemma);
  EXPECT_EQ(recogniseChatTemplate(gemma3 + "<start_function_call>"),
            ChatTemplate::FunctionGemma);
  EXPECT_EQ(recogniseChatTemplate(gemma3 + "You are a policy expert"),
            ChatTemplate::ShieldGemma);
  EXPECT_EQ(recogniseChatTemplate(gemma3 + "<|turn>"), ChatTemplate::Unknown);
  EXPECT_EQ(recogniseChatTemplate("[INST]"), ChatTemplate::Unknown);
}

}  // namespace
}  // namespace gemmac::importer::test
