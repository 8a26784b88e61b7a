// SPDX-License-Identifier: Apache-2.0
// Gemma 1 and 2 beside Gemma 3: what their files leave out, the shape of their
// graphs for both file kinds, and refusals of relatives by name. Numbers are
// judged end to end.
#include "compiler/importer/models/Architectures.h"

#include <gtest/gtest.h>

#include "compiler/importer/Importer.h"
#include "compiler/importer/huggingface/HuggingFaceConfig.h"
#include "dialects/gemma/Gemma.h"
#include "mlir/IR/MLIRContext.h"
#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

using Json = nlohmann::json;

#define EXPECT_WORDS(message, words) \
  EXPECT_NE((message).find(words), std::string::npos) << (message)

ModelConfig read(const Json &root) {
  Checkpoint checkpoint;
  EXPECT_EQ(
      llvm::toString(readHuggingFaceConfig(root, "config.json", checkpoint)),
      "");
  return checkpoint.config;
}

std::string refusal(const Json &root) {
  Checkpoint checkpoint;
  return llvm::toString(readHuggingFaceConfig(root, "config.json", checkpoint));
}

TEST(Architectures, Gemma1HasItsDefaults) {
  // What the published 2B states, and no more.
  ModelConfig config = read({{"model_type", "gemma"},
                             {"architectures", {"GemmaForCausalLM"}},
                             {"hidden_act", "gelu"},
                             {"hidden_size", 2048},
                             {"intermediate_size", 16384},
                             {"num_attention_heads", 8},
                             {"num_hidden_layers", 18},
                             {"num_key_value_heads", 1},
                             {"rope_theta", 10000.0}});
  EXPECT_EQ(config.architecture, "gemma");
  EXPECT_EQ(config.vocabulary, 256000);
  EXPECT_EQ(config.headDim, 256);
  EXPECT_EQ(config.context, 8192);
  EXPECT_EQ(config.queryPreAttentionScalar, 256);
  EXPECT_EQ(config.attentionSoftcap, 0);
  EXPECT_EQ(config.finalSoftcap, 0);
  EXPECT_EQ(config.ropeTheta, 1e4);
  EXPECT_EQ(config.sliding, std::vector<bool>(18, false));
  // The 7B is the class's default.
  ModelConfig big = read({{"model_type", "gemma"}});
  EXPECT_EQ(big.width, 3072);
  EXPECT_EQ(big.kvHeads, 16);
  EXPECT_EQ(big.layers, 28);
}

TEST(Architectures, Gemma2HasItsDefaults) {
  ModelConfig config = read({{"model_type", "gemma2"}});
  EXPECT_EQ(config.width, 2304);
  EXPECT_EQ(config.vocabulary, 256000);
  EXPECT_EQ(config.attentionSoftcap, 50);
  EXPECT_EQ(config.finalSoftcap, 30);
  EXPECT_EQ(config.queryPreAttentionScalar, 256);
  EXPECT_EQ(config.window, 4096);
  EXPECT_EQ(config.ropeLocalTheta, 1e4);
  ASSERT_EQ(config.sliding.size(), 26u);
  for (size_t i = 0; i < 26; ++i) EXPECT_EQ(config.sliding[i], i % 2 == 0) << i;
  // null is no cap, and no default.
  config = read({{"model_type", "gemma2"},
                 {"query_pre_attn_scalar", 144},
                 {"attn_logit_softcapping", nullptr},
                 {"final_logit_softcapping", 20.0}});
  EXPECT_EQ(config.queryPreAttentionScalar, 144);
  EXPECT_EQ(config.attentionSoftcap, 0);
  EXPECT_EQ(config.finalSoftcap, 20);
}

// Gemma 1 and 2 have one rope: its base and factor are the sliding layers' too.
TEST(Architectures, OneRopeTurnsAllLayers) {
  Json old = {{"model_type", "gemma2"},
              {"rope_theta", 5e4},
              {"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}};
  Json fresh = {
      {"model_type", "gemma2"},
      {"rope_parameters",
       {{"rope_type", "linear"}, {"rope_theta", 5e4}, {"factor", 2.0}}}};
  for (const Json &root : {old, fresh}) {
    ModelConfig config = read(root);
    EXPECT_EQ(config.ropeTheta, 5e4);
    EXPECT_EQ(config.ropeLocalTheta, 5e4);
    EXPECT_EQ(config.ropeFactor, 2);
    EXPECT_EQ(config.ropeLocalFactor, 2);
  }
}

TEST(Architectures, RefusesRelativesByName) {
  for (auto [type, words] : std::vector<std::pair<const char *, const char *>>{
           {"recurrent_gemma", "(RecurrentGemma: Griffin"},
           {"gemma3n", "(Gemma 3n)"},
           {"gemma4_text", "(Gemma 4)"},
           {"paligemma", "(PaliGemma)"},
           {"t5gemma", "(T5Gemma"},
           {"embedding_gemma2", "(EmbeddingGemma 2"},
           {"shieldgemma2", "(ShieldGemma 2"}}) {
    EXPECT_WORDS(refusal({{"model_type", type}}), words);
    EXPECT_WORDS(refusal({{"model_type", type}}),
                 "expected 'gemma', 'gemma2', 'gemma3' or 'gemma3_text'");
  }
  EXPECT_WORDS(refusal({{"model_type", "gemma3_text"},
                        {"architectures", {"Gemma3TextModel"}}}),
               "'Gemma3TextModel' (EmbeddingGemma");
  EXPECT_WORDS(refusal({{"model_type", "gemma2"},
                        {"architectures", {"GemmaForCausalLM"}}}),
               "expected 'Gemma2ForCausalLM'");
  EXPECT_WORDS(refusal({{"model_type", "gemma2"},
                        {"use_bidirectional_attention", true}}),
               "use_bidirectional_attention: expected false");
}

// Gemma 1's tensors: of tinyGguf() without the norms that it does not have.
GgufWriter tinyOf(const std::string &architecture) {
  GgufWriter file = tinyGguf();
  file.values.clear();
  file.string("general.architecture", architecture);
  for (auto [key, value] : std::vector<std::pair<const char *, uint32_t>>{
           {"context_length", 128},
           {"embedding_length", 32},
           {"block_count", 2},
           {"feed_forward_length", 64},
           {"attention.head_count", 2},
           {"attention.head_count_kv", 1},
           {"attention.key_length", 16},
           {"attention.value_length", 16}})
    file.u32(architecture + "." + key, value);
  file.f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f);
  std::vector<GgufTensorEntry> all = std::move(file.tensors);
  file.tensors.clear();
  file.dataBytes = 0;
  for (const GgufTensorEntry &entry : all) {
    bool isHeadNorm = entry.name.find("_q_norm") != std::string::npos ||
                      entry.name.find("_k_norm") != std::string::npos;
    bool isPostNorm = entry.name.find(".post_") != std::string::npos;
    if (isHeadNorm || (architecture == "gemma" && isPostNorm)) continue;
    file.tensor(entry.name,
                {entry.dimensions.rbegin(), entry.dimensions.rend()});
  }
  return file;
}

struct Counts {
  int norms = 0, caps = 0, angles = 0;
  std::vector<int64_t> windows;
};

Counts build(const GgufWriter &file) {
  TemporaryFolder folder;
  auto checkpoint = readCheckpoint(folder.write("m.gguf", file.bytes()));
  EXPECT_TRUE(bool(checkpoint));
  mlir::MLIRContext context;
  auto model = importModel(std::move(*checkpoint), context);
  Counts counts;
  if (!model) {
    ADD_FAILURE() << llvm::toString(model.takeError());
    return counts;
  }
  model->module->walk([&](mlir::Operation *op) {
    counts.norms += llvm::isa<gemma::RmsNormOp>(op);
    counts.caps += llvm::isa<gemma::SoftcapOp>(op);
    counts.angles += llvm::isa<gemma::RopeAnglesOp>(op);
    if (auto mask = llvm::dyn_cast<gemma::MaskOp>(op))
      counts.windows.push_back(mask.getWindow());
  });
  return counts;
}

TEST(Architectures, Gemma1sGraphOfAGguf) {
  Counts counts = build(tinyOf("gemma"));
  EXPECT_EQ(counts.norms, 2 * 2 + 1);
  EXPECT_EQ(counts.caps, 0);
  EXPECT_EQ(counts.angles, 1);
  EXPECT_EQ(counts.windows, (std::vector<int64_t>{0, 0}));
}

TEST(Architectures, Gemma2sGraphOfAGguf) {
  Counts counts = build(tinyOf("gemma2"));
  EXPECT_EQ(counts.norms, 2 * 4 + 1);
  EXPECT_EQ(counts.caps, 2 + 1);
  EXPECT_EQ(counts.angles, 1);
  EXPECT_EQ(counts.windows, (std::vector<int64_t>{4096, 0}));
}

TEST(Architectures, NamesTheTensorsOfAnotherArchitecture) {
  GgufWriter file = tinyOf("gemma");
  file.tensor("blk.1.post_attention_norm.weight", {32});
  TemporaryFolder folder;
  auto checkpoint = readCheckpoint(folder.write("m.gguf", file.bytes()));
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  mlir::MLIRContext context;
  auto model = importModel(std::move(*checkpoint), context);
  ASSERT_FALSE(bool(model));
  EXPECT_WORDS(llvm::toString(model.takeError()),
               "blk.1.post_attention_norm.weight: expected no such tensor in a "
               "model of architecture gemma");
}

}  // namespace
}  // namespace gemmac::importer::test
