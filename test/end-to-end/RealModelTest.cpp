// SPDX-License-Identifier: Apache-2.0
// The real Gemma 3 270M, where it is at hand: $GEMMAC_TEST_MODEL, else
// build/models/gemma-3-270m.gguf in the source folder. Greedy continuations at
// f32 against Hugging Face's (real-greedy.json, by make_real_greedy.py),
// perplexity against its figures (real-perplexity.json: windows of
// make_perplexity_reference.py over a licence), and the
// interpreter's bits on every target for the file's own formats.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "test/end-to-end/Harness.h"

namespace gemmac::endtoend {
namespace {

class RealModelTest : public testing::Test {
 protected:
  void SetUp() override {
    const char *chosen = std::getenv("GEMMAC_TEST_MODEL");
    model = chosen ? chosen : GEMMAC_REAL_MODEL;
    if (!std::filesystem::exists(model))
      GTEST_SKIP() << "no model at " << model
                   << "; set GEMMAC_TEST_MODEL to gemma-3-270m's GGUF file";
    prompts = nlohmann::json::parse(std::ifstream(GEMMAC_REAL_GREEDY), nullptr,
                                    /*allow_exceptions=*/false);
    ASSERT_TRUE(prompts.is_array()) << GEMMAC_REAL_GREEDY;
  }

  std::string model;
  nlohmann::json prompts;
  Workshop workshop;
};

TEST_F(RealModelTest, GreedyIdsAtF32EqualHuggingFace) {
  std::string app =
      build(workshop, model, "app", {"--quant", "f32", "--ctx-size", "512"});
  if (app.empty()) return;
  for (const nlohmann::json &prompt : prompts) {
    SCOPED_TRACE(prompt["name"].get<std::string>());
    auto sequence = prompt["prompt_ids"].get<std::vector<int32_t>>();
    auto generated = prompt["generated_ids"].get<std::vector<int32_t>>();
    sequence.insert(sequence.end(), generated.begin(), generated.end() - 1);
    auto logits = evaluateApp(workshop, app, sequence, {512, 2});
    ASSERT_TRUE(logits);
    EXPECT_EQ(lastChoices(*logits, generated.size()), generated);
  }
}

TEST_F(RealModelTest, PerplexityEqualsHuggingFace) {
  std::ifstream file(GEMMAC_REAL_PERPLEXITY);
  auto windows = nlohmann::json::parse(file, nullptr, false);
  ASSERT_TRUE(windows.is_array()) << GEMMAC_REAL_PERPLEXITY;
  struct Kind {
    const char *quant;
    double tolerance;  // of the relative difference
  };
  // f32: four digits, as engines that compute in f32 agree with each other.
  // keep: activations in 8 bits cost .25 % over many windows; one window
  // scatters by a few times that.
  for (Kind kind : {Kind{"f32", 1e-4}, Kind{"keep", 2e-2}}) {
    SCOPED_TRACE(kind.quant);
    std::string app = build(workshop, model, std::string("app-") + kind.quant,
                            {"--quant", kind.quant, "--ctx-size", "512"});
    if (app.empty()) return;
    for (const nlohmann::json &window : windows) {
      writeIds(workshop.path("window.json"),
               window["ids"].get<std::vector<int32_t>>());
      Outcome outcome = run(workshop, {app, "eval", "--tokens",
                                       workshop.path("window.json"), "--json"});
      ASSERT_EQ(outcome.exitCode, 0) << outcome.errors;
      auto found = nlohmann::json::parse(outcome.output, nullptr, false);
      ASSERT_TRUE(found.is_object()) << outcome.output;
      double expected = std::exp(window["nll"].get<double>() /
                                 window["scored"].get<double>());
      EXPECT_NEAR(found["perplexity"].get<double>() / expected, 1,
                  kind.tolerance);
    }
  }
}

TEST_F(RealModelTest, KeptFormatsGiveTheSameBitsEverywhere) {
  auto sequence = prompts[0]["prompt_ids"].get<std::vector<int32_t>>();
  auto judge = evaluateStage(workshop, model, "quantization",
                             {"--ctx-size", "512"}, sequence,
                             {.keyValueFormat = "bf16", .order = Order::Exact});
  ASSERT_TRUE(judge);
  for (const char *target :
       {"portable", "x86_64-avx2", "x86_64-avx512", "x86_64-amx"}) {
    SCOPED_TRACE(target);
    if (!whyTargetCannotRun(target).empty()) continue;
    std::string app = build(workshop, model, std::string("app-") + target,
                            {"--target", target, "--ctx-size", "512"});
    if (app.empty()) return;
    for (Feeding feeding : {Feeding{512, 2}, Feeding{1, 1}}) {
      SCOPED_TRACE(testing::Message() << "chunk " << feeding.chunk);
      auto logits = evaluateApp(workshop, app, sequence, feeding);
      ASSERT_TRUE(logits);
      EXPECT_TRUE(sameBits(*logits, *judge));
    }
  }
}

}  // namespace
}  // namespace gemmac::endtoend
