// SPDX-License-Identifier: Apache-2.0
// The graph: its structure for both file kinds, that it prints and parses, and
// what is said about tensors that are missing, wrong or too many. Its numbers
// are judged end to end.
#include <gtest/gtest.h>

#include "compiler/importer/Importer.h"
#include "dialects/gemma/Gemma.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

using Json = nlohmann::json;

struct Result {
  mlir::FailureOr<ImportedModel> model = mlir::failure();
  std::vector<std::string> errors;
};

Result import(mlir::MLIRContext &context, const std::string &path) {
  Result result;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          result.errors.push_back(diagnostic.str());
        return mlir::success();
      });
  result.model = importCheckpoint(path, context);
  return result;
}

std::string refusal(const Json &config, const Json &shapes) {
  TemporaryFolder folder;
  folder.write("config.json", config.dump());
  folder.write("model.safetensors", safetensorsOf(shapes));
  mlir::MLIRContext context;
  Result result = import(context, folder.path);
  EXPECT_EQ(result.errors.size(), mlir::succeeded(result.model) ? 0u : 1u);
  return result.errors.empty() ? "" : result.errors.front();
}

#define EXPECT_WORDS(message, words) \
  EXPECT_NE((message).find(words), std::string::npos) << (message)

void checkModule(mlir::ModuleOp module, llvm::StringRef embedding) {
  std::vector<int64_t> windows;
  module.walk([&](gemma::MaskOp mask) { windows.push_back(mask.getWindow()); });
  EXPECT_EQ(windows, (std::vector<int64_t>{4, 0}));
  int layers = 0, embeddings = 0;
  module.walk([&](gemma::LayerOp) { ++layers; });
  EXPECT_EQ(layers, 2);
  module.walk([&](quantized::ReferenceOp op) {
    embeddings += op.getSymbol() == embedding;
  });
  EXPECT_EQ(embeddings, 2);  // embed and the tied head
  std::string text;
  llvm::raw_string_ostream(text) << module;
  EXPECT_TRUE(
      bool(mlir::parseSourceString<mlir::ModuleOp>(text, module.getContext())));
}

TEST(Gemma3, BuildsAGgufModel) {
  TemporaryFolder folder;
  mlir::MLIRContext context;
  Result result = import(context, folder.write("m.gguf", tinyGguf().bytes()));
  ASSERT_TRUE(mlir::succeeded(result.model));
  checkModule(*result.model->module, "token_embd.weight");
  Json metadata = Json::parse(result.model->metadataJson);
  EXPECT_EQ(metadata["name"], "tiny");
  EXPECT_EQ(metadata["eos"], Json::array({1}));
  EXPECT_EQ(metadata["bos"], 2);
  EXPECT_EQ(metadata["chat_template"], "none");
  EXPECT_EQ(result.model->tokenizerBlob, "");
}

TEST(Gemma3, BuildsAHuggingFaceModel) {
  TemporaryFolder folder;
  folder.write("config.json", tinyConfig().dump());
  folder.write("generation_config.json",
               R"({"eos_token_id":[1,5],"top_k":64,"do_sample":true})");
  folder.write("model.safetensors", safetensorsOf(tinyShapes()));
  mlir::MLIRContext context;
  Result result = import(context, folder.path);
  ASSERT_TRUE(mlir::succeeded(result.model)) << result.errors.front();
  checkModule(*result.model->module, "model.embed_tokens.weight");
  Json metadata = Json::parse(result.model->metadataJson);
  EXPECT_EQ(metadata["eos"], Json::array({1, 5}));
  EXPECT_EQ(metadata["generation"], Json({{"do_sample", true}, {"top_k", 64}}));
}

TEST(Gemma3, TakesEveryPrefixAndIgnoresTowers) {
  const Json plain = tinyShapes();
  for (const char *prefix :
       {"language_model.model.", "model.language_model.", ""}) {
    Json shapes = {{"vision_tower.patch_embedding.weight", {4, 4}},
                   {"multi_modal_projector.mm_input_projection_weight", {4}}};
    for (const auto &[name, shape] : plain.items())
      shapes[prefix + name.substr(6)] = shape;
    EXPECT_EQ(refusal(tinyConfig(), shapes), "") << prefix;
  }
}

TEST(Gemma3, IgnoresATiedHeadAndTakesAnUntiedOne) {
  Json shapes = tinyShapes();
  shapes["lm_head.weight"] = {48, 32};
  EXPECT_EQ(refusal(tinyConfig(), shapes), "");
  Json config = tinyConfig();
  config["tie_word_embeddings"] = false;
  EXPECT_WORDS(refusal(config, tinyShapes()), "missing tensor");
}

TEST(Gemma3, NamesMissingAndWrongTensors) {
  Json shapes = tinyShapes();
  shapes.erase("model.layers.1.mlp.up_proj.weight");
  shapes["model.layers.1.mlp.up_porj.weight"] = {64, 32};
  std::string message = refusal(tinyConfig(), shapes);
  EXPECT_WORDS(message, "missing tensor model.layers.1.mlp.up_proj.weight");
  EXPECT_WORDS(message, "did you mean model.layers.1.mlp.up_porj.weight?");
  shapes = tinyShapes();
  shapes["model.layers.0.self_attn.k_norm.weight"] = {8};
  EXPECT_WORDS(refusal(tinyConfig(), shapes),
               "tensor model.layers.0.self_attn.k_norm.weight: expected shape "
               "[16], found [8]");
}

TEST(Gemma3, RefusesTensorsOfAnotherGraph) {
  Json shapes = tinyShapes();
  shapes["model.layers.0.self_attn.q_proj.bias"] = {32};
  EXPECT_WORDS(refusal(tinyConfig(), shapes), "q_proj.bias: expected no such");
  shapes = tinyShapes();
  shapes["model.layers.2.input_layernorm.weight"] = {32};
  EXPECT_WORDS(refusal(tinyConfig(), shapes), "layers.2.input_layernorm");
}

TEST(Gemma3, RefusesFormatsByName) {
  const std::pair<uint32_t, std::string> kinds[] = {
      {10, "q2_k"},   {11, "q3_k"},  {16, "iq2_xxs"}, {19, "iq1_s"},
      {20, "iq4_nl"}, {21, "iq3_s"}, {23, "iq4_xs"},  {34, "tq1_0"},
      {39, "mxfp4"},  {9, "q8_1"},   {28, "f64"},     {26, "i32"}};
  for (const auto &[id, name] : kinds) {
    GgufWriter file = tinyGguf();
    // As wide as the widest block, which takes less room than its f32.
    for (GgufTensorEntry &entry : file.tensors)
      if (entry.name == "blk.0.attn_q.weight") {
        entry.type = id;
        entry.dimensions = {256, 1};
      }
    TemporaryFolder folder;
    mlir::MLIRContext context;
    Result result = import(context, folder.write("m.gguf", file.bytes()));
    ASSERT_EQ(result.errors.size(), 1u);
    EXPECT_WORDS(result.errors.front(), "attn_q.weight: ");
    EXPECT_WORDS(result.errors.front(),
                 "unsupported format " + name + ", expected f32");
  }
}

}  // namespace
}  // namespace gemmac::importer::test
