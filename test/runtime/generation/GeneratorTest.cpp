// SPDX-License-Identifier: Apache-2.0
// The generation loop on the toy: what greedy gives by definition, stops,
// limits, cancellation, reuse.
#include "runtime/generation/Generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "test/runtime/FakeModel.h"
#include "test/runtime/TinyTokenizer.h"

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
    EXPECT_EQ(generate(session, prompt, options, {}, result).message(), "");
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
  ASSERT_TRUE(
      generate(session, prompt, options, {stream, {}, nullptr}, result).ok());
  EXPECT_EQ(result.tokens, greedyByDefinition(prompt, 40));
  EXPECT_EQ(result.reason, FinishReason::Length);
  EXPECT_EQ(result.promptTokens, 4);
  EXPECT_EQ(streamed, result.text);
  std::string whole;
  ASSERT_TRUE(model.tokenizer().decode(result.tokens, whole));
  EXPECT_EQ(result.text, whole);
  EXPECT_GT(result.promptSeconds, 0);
}

// Greedy answers ask for the arg-max where nothing changes the scores, and a
// model without one answers the same from its logits.
TEST_F(GeneratorTest, GreedyNeedsNoLogits) {
  auto calls = [&](Engine &engine) {
    fakeCalls() = {};
    Session session(engine);
    EXPECT_EQ(run(session).tokens, greedyByDefinition(prompt, 40));
    return fakeCalls();
  };
  FakeCalls made = calls(engine);
  EXPECT_EQ(made.head, 0);
  EXPECT_EQ(made.argMax, 40);
  Model old;
  ASSERT_TRUE(old.load(fakeModel(kTinyVocabulary, false), "{\"eos\":[1]}",
                       tinyTokenizer(), fakeWeights())
                  .ok());
  Engine oldEngine;
  ASSERT_TRUE(oldEngine.start(old, 2).ok());
  made = calls(oldEngine);
  EXPECT_EQ(made.head, 40);
  EXPECT_EQ(made.argMax, 0);
  options.sampling.suppressed = {kTinyVocabulary - 1};
  fakeCalls() = {};
  Session session(engine);
  run(session);
  EXPECT_EQ(fakeCalls().argMax, 0);
  EXPECT_GT(fakeCalls().head, 0);
}

// A sampled answer in the pass gives all of them logits.
TEST_F(GeneratorTest, GreedyAndSampledAnswersShareAPass) {
  GenerationOptions sampled = options;
  sampled.sampling = SamplerOptions();
  GenerationResult alone, first, second;
  Session other(engine), one(engine), two(engine);
  ASSERT_TRUE(generate(other, prompt, sampled, {}, alone).ok());
  Listener listener;
  Answer greedy(one, options, listener, first);
  Answer drawn(two, sampled, listener, second);
  ASSERT_TRUE(greedy.begin(prompt).ok());
  ASSERT_TRUE(drawn.begin(prompt).ok());
  std::vector<Answer *> running = {&greedy, &drawn};
  while (!running.empty()) {
    ASSERT_TRUE(Answer::step(engine, running).ok());
    std::erase_if(running, [](Answer *answer) { return answer->finished(); });
  }
  EXPECT_EQ(first.tokens, greedyByDefinition(prompt, 40));
  EXPECT_EQ(second.tokens, alone.tokens);
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
  Status status = generate(session, prompt, options, {}, result);
  EXPECT_NE(status.message().find("at most 10 tokens (the context), found 11"),
            std::string::npos);
  prompt.clear();
  EXPECT_FALSE(generate(session, prompt, options, {}, result).ok());
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
  ASSERT_TRUE(
      generate(session, prompt, options, {stream, {}, nullptr}, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Cancelled);
  EXPECT_LT(result.tokens.size(), 40u);
  std::atomic<bool> cancel{true};
  ASSERT_TRUE(
      generate(session, prompt, options, {{}, {}, &cancel}, result).ok());
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

TEST_F(GeneratorTest, AStopTextEndsTheAnswerAndNoPartOfItIsStreamed) {
  Session session(engine);
  std::string whole = run(session).text;
  ASSERT_GT(whole.size(), 12u);
  // Any stretch of the answer stops it before the first place it stands.
  for (size_t at : {size_t{0}, size_t{1}, whole.size() / 2}) {
    for (size_t size : {1, 2, 7}) {
      std::string stop = whole.substr(at, size);
      options.stopTexts = {"never in it", stop, stop + "longer"};
      std::string streamed;
      Listener listener;
      listener.text = [&](std::string_view text) {
        streamed += text;
        return true;
      };
      GenerationResult result;
      ASSERT_TRUE(generate(session, prompt, options, listener, result).ok());
      EXPECT_EQ(result.reason, FinishReason::Stop);
      EXPECT_TRUE(result.cutAtText);
      EXPECT_EQ(result.text, whole.substr(0, whole.find(stop)));
      EXPECT_EQ(streamed, result.text);
    }
  }
  // What only begins like a stop text is held back and comes in the end.
  options.stopTexts = {whole.substr(whole.size() - 3) + "?"};
  std::string streamed;
  GenerationResult result;
  auto stream = [&](std::string_view text) {
    streamed += text;
    return true;
  };
  ASSERT_TRUE(
      generate(session, prompt, options, {stream, {}, nullptr}, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Length);
  EXPECT_EQ(streamed, whole);
}

TEST(StopFinder, HoldsBackWhatMayBecomeAStopText) {
  std::vector<std::string> stops = {"END", "\n\n", "aab"};
  StopFinder finder(stops);
  std::string text = "xE";
  EXPECT_FALSE(finder.find(text));
  EXPECT_EQ(finder.certain(text), 1u);
  text += "N";
  EXPECT_FALSE(finder.find(text));
  EXPECT_EQ(finder.certain(text), 1u);
  text += "Xaa";
  EXPECT_FALSE(finder.find(text));
  EXPECT_EQ(finder.certain(text), 4u);
  // "aaa" cannot be the stop text from its first letter on.
  text += "a";
  EXPECT_FALSE(finder.find(text));
  EXPECT_EQ(finder.certain(text), 5u);
  text += "b…";
  EXPECT_TRUE(finder.find(text));
  EXPECT_EQ(text, "xENXa");
}

TEST_F(GeneratorTest, ALongPromptShowsProgressAndCanBeStopped) {
  prompt.assign(1500, 270);
  std::vector<int64_t> seen;
  std::atomic<bool> cancel{false};
  Listener listener;
  listener.cancel = &cancel;
  listener.prompt = [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 1500);
    seen.push_back(done);
    cancel = done >= 500;
  };
  Session session(engine);
  GenerationResult result;
  ASSERT_TRUE(generate(session, prompt, options, listener, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Cancelled);
  EXPECT_TRUE(result.tokens.empty());
  ASSERT_GT(seen.size(), 4u);
  EXPECT_EQ(seen.front(), 0);
  EXPECT_LT(session.position(), 600);
  // What was read is not read again, and the answer is that of any other way.
  cancel = false;
  listener.prompt = {};
  ASSERT_TRUE(generate(session, prompt, options, listener, result).ok());
  EXPECT_GE(result.reusedTokens, 500);
  EXPECT_EQ(result.tokens, greedyByDefinition(prompt, 40));
}

TEST_F(GeneratorTest, AnswersThatSharePassesAreThoseOfEachAlone) {
  options.sampling = SamplerOptions();
  options.sampling.temperature = 1.5;
  std::vector<GenerationOptions> own(5, options);
  std::vector<std::vector<int32_t>> prompts(5);
  std::vector<GenerationResult> alone(5), together(5);
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::unique_ptr<Answer>> answers;
  Listener listener;
  for (int i = 0; i < 5; ++i) {
    own[i].sampling.seed = 40 + i;
    own[i].maxTokens = 10 + 7 * i;
    for (int p = 0; p < 3 + 60 * i; ++p) prompts[i].push_back(270 + p % 20);
    Session session(engine);
    ASSERT_TRUE(generate(session, prompts[i], own[i], {}, alone[i]).ok());
    sessions.push_back(std::make_unique<Session>(engine));
  }
  std::vector<Answer *> running;
  for (int i = 0; i < 5; ++i) {
    answers.push_back(
        std::make_unique<Answer>(*sessions[i], own[i], listener, together[i]));
    ASSERT_TRUE(answers[i]->begin(prompts[i]).ok());
    running.push_back(answers[i].get());
    // One ahead of the others.
    if (i == 0) ASSERT_TRUE(Answer::step(engine, running).ok());
  }
  fakeCalls() = {};
  while (!running.empty()) {
    ASSERT_TRUE(Answer::step(engine, running).ok());
    std::erase_if(running, [](Answer *answer) { return answer->finished(); });
  }
  EXPECT_GT(fakeCalls().batch, 0);
  EXPECT_LT(fakeCalls().batch + fakeCalls().prefill + fakeCalls().decode, 40);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(together[i].tokens, alone[i].tokens) << i;
    EXPECT_EQ(together[i].tokens.size(), 10u + 7 * i);
    EXPECT_EQ(together[i].text, alone[i].text);
  }
}

}  // namespace
}  // namespace gemma
