// SPDX-License-Identifier: Apache-2.0
// Feeding, batching and rewinding against the toy's definition: chunking,
// threads, other sessions and the cache's state change no bit.
#include "runtime/model/Session.h"

#include <gtest/gtest.h>

#include <random>

#include "test/runtime/FakeModel.h"

namespace gemma {
namespace {

using namespace test;

constexpr int32_t kVocabulary = 64;
constexpr char kMetadata[] = "{\"bos\": 2, \"eos\": [1]}";

std::vector<int32_t> randomTokens(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int32_t> tokens(count);
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(generator() % kVocabulary);
  return tokens;
}

class SessionTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ASSERT_EQ(model.load(fakeModel(kVocabulary), kMetadata, {}, fakeWeights())
                  .message(),
              "");
    ASSERT_EQ(engine.start(model, GetParam()).message(), "");
  }

  // Feeds and compares every wanted row with the definition.
  void feedAndCheck(Session &session, std::span<const int32_t> tokens,
                    Wanted wanted, int32_t chunk) {
    std::vector<int32_t> all(session.history().begin(),
                             session.history().end());
    size_t before = all.size(), rows = 0;
    all.insert(all.end(), tokens.begin(), tokens.end());
    Status status = session.feed(
        tokens, wanted,
        [&](size_t row, std::span<const float> logits) {
          std::span<const int32_t> prefix(all.data(), before + row + 1);
          std::vector<float> expected = fakeLogits(prefix, kVocabulary);
          ASSERT_EQ(std::vector<float>(logits.begin(), logits.end()), expected)
              << "position " << before + row;
          ++rows;
        },
        chunk);
    ASSERT_EQ(status.message(), "");
    EXPECT_EQ(rows, wanted == Wanted::All ? tokens.size()
                                          : size_t{wanted == Wanted::Last});
    EXPECT_EQ(std::vector<int32_t>(session.history().begin(),
                                   session.history().end()),
              all);
  }

  Model model;
  Engine engine;
};

TEST_P(SessionTest, EveryChunkingGivesTheSameLogits) {
  std::vector<int32_t> tokens = randomTokens(700, 1);
  for (int32_t chunk : {0, 1, 3, 4, 5, 31, 32}) {
    Session session(engine);
    feedAndCheck(session, tokens, Wanted::All, chunk);
  }
}

TEST_P(SessionTest, ChoosesTheEntryPointByRows) {
  Session session(engine);
  fakeCalls() = {};
  feedAndCheck(session, randomTokens(1, 1), Wanted::None, 0);
  feedAndCheck(session, randomTokens(4, 2), Wanted::None, 0);
  feedAndCheck(session, randomTokens(5, 3), Wanted::None, 0);
  // 32 + 32 + 1.
  feedAndCheck(session, randomTokens(65, 4), Wanted::Last, 0);
  EXPECT_EQ(fakeCalls().decode, 2);
  EXPECT_EQ(fakeCalls().batch, 1);
  EXPECT_EQ(fakeCalls().prefill, 3);
  EXPECT_EQ(fakeCalls().head, 1);
}

TEST_P(SessionTest, RewindsWithinAndBeyondTheRing) {
  std::vector<int32_t> tokens = randomTokens(600, 5);
  for (int32_t to : {600, 599, 580, 544, 543, 400, 100, 1, 0}) {
    Session session(engine);
    feedAndCheck(session, tokens, Wanted::None, 0);
    // The ring of 256 holds positions 344 … 599; the row at `to` sees 199 back.
    EXPECT_EQ(session.canRewindFreely(to), to == 0 || to - 199 >= 344) << to;
    ASSERT_TRUE(session.rewind(to).ok());
    ASSERT_EQ(session.position(), to);
    feedAndCheck(session, randomTokens(300, 6), Wanted::All, 7);
    // Rewinding again: what was written first still counts as overwritten.
    ASSERT_TRUE(session.rewind(to / 2).ok());
    feedAndCheck(session, randomTokens(40, 7), Wanted::All, 0);
  }
}

TEST_P(SessionTest, SecondRewindRemembersWhatTheFirstOverwrote) {
  Session session(engine);
  feedAndCheck(session, randomTokens(600, 8), Wanted::None, 0);
  ASSERT_TRUE(session.rewind(560).ok());
  EXPECT_TRUE(session.canRewindFreely(543));
  EXPECT_FALSE(session.canRewindFreely(530));
  ASSERT_TRUE(session.rewind(530).ok());
  feedAndCheck(session, randomTokens(20, 9), Wanted::All, 0);
}

TEST_P(SessionTest, RowsOfSeveralSessionsShareACall) {
  Session first(engine), second(engine), third(engine);
  feedAndCheck(first, randomTokens(300, 10), Wanted::None, 0);
  feedAndCheck(second, randomTokens(7, 11), Wanted::None, 0);
  std::vector<int32_t> tokens = randomTokens(9, 12);
  std::vector<RowRequest> rows;
  Session *sessions[] = {&first, &second, &third};
  for (size_t i = 0; i < tokens.size(); ++i)
    rows.push_back({sessions[i % 3], tokens[i], i != 4});
  std::vector<std::vector<int32_t>> histories;
  for (Session *session : sessions)
    histories.emplace_back(session->history().begin(),
                           session->history().end());
  std::vector<std::vector<float>> expected;
  for (size_t i = 0; i < tokens.size(); ++i) {
    histories[i % 3].push_back(tokens[i]);
    expected.push_back(fakeLogits(histories[i % 3], kVocabulary));
  }
  size_t seen = 0;
  Status status = engine.step(rows, [&](size_t row, auto logits) {
    ++seen;
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected[row]);
  });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(seen, 8u);
  EXPECT_EQ(third.position(), 3);
}

// A call that is refused for its last row moved none of its sequences, and took
// no row into account.
TEST_P(SessionTest, ARefusedCallLeavesNoTrace) {
  Session first(engine), second(engine, 2);
  feedAndCheck(first, randomTokens(3, 13), Wanted::None, 0);
  feedAndCheck(second, randomTokens(1, 14), Wanted::None, 0);
  std::vector<RowRequest> rows = {{&first, 5, false},
                                  {&second, 6, false},
                                  {&first, 7, true},
                                  {&second, 8, true}};
  Status status = engine.step(rows, nullptr);
  EXPECT_EQ(status.code(), Code::ContextFull);
  EXPECT_EQ(status.message(),
            "expected a position below the context of 2, found 2");
  EXPECT_EQ(first.position(), 3);
  EXPECT_EQ(second.position(), 1);
  rows.pop_back();
  ASSERT_EQ(engine.step(rows, nullptr).message(), "");
  EXPECT_EQ(first.position(), 5);
  EXPECT_EQ(second.position(), 2);
  feedAndCheck(first, randomTokens(40, 15), Wanted::All, 0);
}

TEST_P(SessionTest, AnArgMaxTakesThePlaceOfTheLogits) {
  auto tokens = randomTokens(70, 5);
  int64_t before = engine.workingBytes();
  fakeCalls() = {};
  size_t seen = 0;
  auto unwanted = [](size_t, std::span<const float>) { FAIL(); };
  auto check = [&](size_t row, int32_t token) {
    auto logits = fakeLogits({tokens.data(), row + 1}, kVocabulary);
    auto best = std::max_element(logits.begin(), logits.end());
    EXPECT_EQ(token, best - logits.begin()) << row;
    ++seen;
  };
  Session session(engine);
  ASSERT_TRUE(
      session.feed(tokens, Wanted::All, unwanted, 0, nullptr, check).ok());
  EXPECT_EQ(seen, tokens.size());
  EXPECT_EQ(fakeCalls().head, 0);
  EXPECT_EQ(engine.workingBytes(), before);  // no logits
  session.reset();
  feedAndCheck(session, tokens, Wanted::Last, 0);
  EXPECT_GE(engine.workingBytes(),
            before + int64_t{kFakeHeadRows} * kVocabulary * 4);
}

TEST_P(SessionTest, RefusesWhatDoesNotFit) {
  Session session(engine, 100);
  Status status = session.feed(randomTokens(101, 1), Wanted::None, nullptr);
  EXPECT_EQ(status.code(), Code::ContextFull);
  EXPECT_NE(status.message().find("at most 100"), std::string::npos);
  EXPECT_EQ(session.position(), 0);
  std::vector<int32_t> wrong = {1, kVocabulary};
  EXPECT_EQ(session.feed(wrong, Wanted::None, nullptr).code(),
            Code::InvalidInput);
  wrong[1] = -1;
  EXPECT_FALSE(session.feed(wrong, Wanted::None, nullptr).ok());
  EXPECT_EQ(session.position(), 0);
  EXPECT_FALSE(session.rewind(1).ok());
  feedAndCheck(session, randomTokens(100, 2), Wanted::All, 0);
}

TEST_P(SessionTest, AllocatesBlocksAsPositionsReachThem) {
  Session session(engine);
  EXPECT_EQ(session.cacheBytes(), 0);
  feedAndCheck(session, randomTokens(128, 1), Wanted::None, 0);
  EXPECT_EQ(session.cacheBytes(), 2 * 512);
  feedAndCheck(session, randomTokens(400, 2), Wanted::None, 0);
  // Five full blocks and the whole ring.
  EXPECT_EQ(session.cacheBytes(), 7 * 512);
  EXPECT_EQ(session.cacheBytes(), model.cacheBytes(528));
}

INSTANTIATE_TEST_SUITE_P(Threads, SessionTest, testing::Values(1, 2, 3));

TEST(Model, ChecksTheCodeItIsGiven) {
  auto load = [](auto change) {
    gemma_model_code code = fakeModel(kVocabulary);
    std::vector<gemma_kv_layer> layers(code.kv_layers, code.kv_layers + 2);
    code.kv_layers = layers.data();
    change(code, layers);
    Model model;
    return model.load(code, kMetadata, {}, fakeWeights());
  };
  EXPECT_TRUE(load([](auto &, auto &) {}).ok());
  EXPECT_EQ(load([](auto &code, auto &) { code.abi_version = 7; }).message(),
            "model code: expected ABI version 3, found 7");
  EXPECT_FALSE(load([](auto &code, auto &) { code.weight_bytes = 1; }).ok());
  EXPECT_FALSE(
      load([](auto &, auto &layers) { layers[1].ring_blocks = 3; }).ok());
  EXPECT_FALSE(load([](auto &code, auto &) { code.head = nullptr; }).ok());
  Status status =
      load([](auto &code, auto &) { code.cpu_features = 1ull << 63; });
  EXPECT_EQ(status.code(), Code::WrongMachine);
  EXPECT_NE(status.message().find("lacks"), std::string::npos);
}

}  // namespace
}  // namespace gemma
