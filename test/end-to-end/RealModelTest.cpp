// The real Gemma 3 270M, where it is at hand: $GEMMAC_TEST_MODEL, else
// build/models/gemma-3-270m.gguf in the source folder. Greedy continuations at
// f32 against Hugging Face's (real-greedy.json, by make_real_greedy.py), and
// the same bits on every target for the file's own formats.
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
    prompts = nlohmann::json::parse(
        std::ifstream(GEMMAC_REAL_GREEDY), nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(prompts.is_array()) << GEMMAC_REAL_GREEDY;
  }

  std::string model;
  nlohmann::json prompts;
  Workshop workshop;
};

TEST_F(RealModelTest, GreedyIdsAtF32EqualHuggingFace) {
  std::string app = build(workshop, model, "app",
                          {"--quant", "f32", "--ctx-size", "512"});
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

TEST_F(RealModelTest, KeptFormatsGiveTheSameBitsEverywhere) {
  auto sequence = prompts[0]["prompt_ids"].get<std::vector<int32_t>>();
  auto judge = evaluateStage(workshop, model, "quantization",
                             {"--ctx-size", "512"}, sequence, "bf16");
  ASSERT_TRUE(judge);
  std::optional<Tensor> portable;
  for (const char *target : {"portable", "x86_64-avx2", "x86_64-avx512"}) {
    SCOPED_TRACE(target);
    if (!whyTargetCannotRun(target).empty()) continue;
    std::string app = build(workshop, model, std::string("app-") + target,
                            {"--target", target, "--ctx-size", "512"});
    if (app.empty()) return;
    for (Feeding feeding : {Feeding{512, 2}, Feeding{1, 1}}) {
      auto logits = evaluateApp(workshop, app, sequence, feeding);
      ASSERT_TRUE(logits);
      // Logits of this model are about 20; flipped activation codes move them
      // by a few hundredths, a wrong scale or group by whole units.
      EXPECT_LE(rootMeanSquareDifference(*logits, *judge), 0.1);
      if (!portable) portable = std::move(logits);
      else
        EXPECT_TRUE(sameBits(*logits, *portable))
            << "chunk " << feeding.chunk << ": differs from portable by up to "
            << largestDifference(*logits, *portable);
    }
  }
}

}  // namespace
}  // namespace gemmac::endtoend
