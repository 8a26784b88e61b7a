// The generation loop on the toy: what greedy gives by definition, stops,
// limits, cancellation, reuse.
#include "runtime/generation/Generator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "FakeModel.h"
#include "TinyTokenizer.h"

namespace gemma {
namespace {

using namespace test;

class GeneratorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(model
                  .load(fakeModel(kTinyVocabulary), "{\"eos\":[1]}",
                        tinyTokenizer(), fakeWeights())
                  .message(),
              "");
    ASSERT_TRUE(engine.start(model, 2).ok());
    options.maxTokens = 40;
    options.sampling.doSample = false;
    options.sampling.repetitionPenalty = 1;
  }

  std::vector<int32_t> greedyByDefinition(std::vector<int32_t> tokens,
                                          int count) {
    std::vector<int32_t> answer;
    for (int i = 0; i < count; ++i) {
      auto logits = fakeLogits(tokens, kTinyVocabulary);
      auto best = std::max_element(logits.begin(), logits.end());
      answer.push_back(static_cast<int32_t>(best - logits.begin()));
      tokens.push_back(answer.back());
    }
    return answer;
  }

  GenerationResult run(Session &session) {
    GenerationResult result;
    EXPECT_EQ(
        generate(session, prompt, options, nullptr, nullptr, result).message(),
        "");
    return result;
  }

  Model model;
  Engine engine;
  GenerationOptions options;
  std::vector<int32_t> prompt = {2, 270, 280, 290};
};

TEST_F(GeneratorTest, GivesTheGreedyTokensAndTheirText) {
  Session session(engine);
  std::string streamed;
  GenerationResult result;
  auto stream = [&](std::string_view text) {
    streamed += text;
    return true;
  };
  ASSERT_TRUE(generate(session, prompt, options, stream, nullptr, result).ok());
  EXPECT_EQ(result.tokens, greedyByDefinition(prompt, 40));
  EXPECT_EQ(result.reason, FinishReason::Length);
  EXPECT_EQ(result.promptTokens, 4);
  EXPECT_EQ(streamed, result.text);
  std::string whole;
  ASSERT_TRUE(model.tokenizer().decode(result.tokens, whole));
  EXPECT_EQ(result.text, whole);
  EXPECT_GT(result.promptSeconds, 0);
}

TEST_F(GeneratorTest, StopsAtAStopIdOrNeverSamplesIt) {
  std::vector<int32_t> all = greedyByDefinition(prompt, 40);
  options.stopIds = {all[5]};
  size_t at = std::find(all.begin(), all.end(), all[5]) - all.begin();
  Session session(engine);
  GenerationResult result = run(session);
  EXPECT_EQ(result.tokens, std::vector<int32_t>(all.begin(), all.begin() + at));
  EXPECT_EQ(result.reason, FinishReason::Stop);
  options.ignoreStops = true;
  result = run(session);
  EXPECT_EQ(result.tokens.size(), 40u);
  EXPECT_EQ(std::count(result.tokens.begin(), result.tokens.end(), all[5]), 0);
}

TEST_F(GeneratorTest, EndsWithTheContext) {
  Session session(engine, 10);
  GenerationResult result = run(session);
  // Ten positions: four of the prompt, six fed; the seventh needs none.
  EXPECT_EQ(result.tokens, greedyByDefinition(prompt, 7));
  EXPECT_EQ(result.reason, FinishReason::Length);
  prompt.assign(11, 270);
  Status status = generate(session, prompt, options, nullptr, nullptr, result);
  EXPECT_NE(status.message().find("at most 10 tokens (the context), found 11"),
            std::string::npos);
  prompt.clear();
  EXPECT_FALSE(
      generate(session, prompt, options, nullptr, nullptr, result).ok());
}

TEST_F(GeneratorTest, ReusedPrefixesChangeNothing) {
  Session session(engine);
  std::vector<int32_t> first = run(session).tokens;
  GenerationResult again = run(session);
  EXPECT_EQ(again.reusedTokens, 3);
  EXPECT_EQ(again.tokens, first);
  prompt = {2, 270, 281};
  GenerationResult other = run(session);
  EXPECT_EQ(other.reusedTokens, 2);
  EXPECT_EQ(other.tokens, greedyByDefinition(prompt, 40));
}

TEST_F(GeneratorTest, CancelsFromTheStreamAndFromOutside) {
  Session session(engine);
  GenerationResult result;
  int pieces = 0;
  auto stream = [&](std::string_view) { return ++pieces < 3; };
  ASSERT_TRUE(generate(session, prompt, options, stream, nullptr, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Cancelled);
  EXPECT_LT(result.tokens.size(), 40u);
  std::atomic<bool> cancel{true};
  ASSERT_TRUE(
      generate(session, prompt, options, nullptr, &cancel, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Cancelled);
  EXPECT_TRUE(result.tokens.empty());
}

TEST_F(GeneratorTest, SamplingIsReproducible) {
  options.sampling = SamplerOptions();
  options.sampling.seed = 11;
  Session first(engine), second(engine);
  std::vector<int32_t> a = run(first).tokens;
  // Another history of the cache, the same draws.
  ASSERT_TRUE(second.feed(prompt, Wanted::None, nullptr, 1).ok());
  EXPECT_EQ(run(second).tokens, a);
  options.sampling.seed = 12;
  EXPECT_NE(run(second).tokens, a);
}

}  // namespace
}  // namespace gemma
