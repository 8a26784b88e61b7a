// SPDX-License-Identifier: Apache-2.0
// Sessions on compiled models, in this process: the object that gemmac emits,
// the weights of the executable beside it, and the runtime's own engine. The
// same row must get the same bits alone, beside rows of other sessions, and in
// a session that was reset, rewound or reused before.
#include <algorithm>

#include "gtest/gtest.h"
#include "llvm/Support/MemoryBuffer.h"
#include "runtime/model/Engine.h"
#include "runtime/model/Session.h"
#include "test/end-to-end/Harness.h"
#include "test/support/LoadedObject.h"

namespace gemmac::endtoend {
namespace {

using gemma::Engine;
using gemma::RowRequest;
using gemma::Session;
using gemma::Wanted;
using Row = std::vector<float>;

struct Case {
  const char *fixture;
  const char *quant;
  const char *target;
};

class CompiledSessionTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case &c = GetParam();
    std::string reason = whyTargetCannotRun(c.target);
    if (!reason.empty()) GTEST_SKIP() << reason;
    fixture = loadFixture(c.fixture);
    // Few prefill rows: rings wrap and rewinding meets their end.
    std::vector<std::string> options = {"--quant", c.quant,          "--target",
                                        c.target,  "--prefill-rows", "24"};
    std::string app = build(workshop, fixture.checkpoint, "app", options);
    options.insert(options.end(), {"--emit", "object"});
    std::string object = build(workshop, fixture.checkpoint, "app.o", options);
    ASSERT_FALSE(app.empty() || object.empty());
    auto bytes = llvm::MemoryBuffer::getFile(object);
    ASSERT_TRUE(bool(bytes));
    std::string error;
    const gemma_model_code *code = loaded.load(
        (*bytes)->getBuffer().str(), "gemma_model_model",
        {{"gemma_next_tile", reinterpret_cast<void *>(&gemma_next_tile)},
         {"gemma_phase_end", reinterpret_cast<void *>(&gemma_phase_end)}},
        error);
    ASSERT_NE(code, nullptr) << error;
    ASSERT_EQ(model.open(*code, app.c_str()).message(), "");
    ASSERT_EQ(engine.start(model, 2).message(), "");
  }

  // Logits of `count` tokens from `from` on, in calls of `chunk`.
  std::vector<Row> feed(Session &session, size_t from, size_t count,
                        int32_t chunk) {
    std::vector<Row> rows;
    auto status = session.feed(
        std::span(fixture.tokens).subspan(from, count), Wanted::All,
        [&](size_t, std::span<const float> logits) {
          rows.emplace_back(logits.begin(), logits.end());
        },
        chunk);
    EXPECT_EQ(status.message(), "");
    return rows;
  }

  // Every row's logits, from a fresh session that is fed token by token.
  std::vector<Row> alone() {
    Session session(engine);
    return feed(session, 0, fixture.tokens.size(), 1);
  }

  Workshop workshop;
  Fixture fixture;
  test::LoadedObject loaded;
  gemma::Model model;
  Engine engine;
};

TEST_P(CompiledSessionTest, RowsBesideOtherSessionsGetTheirOwnBits) {
  std::vector<Row> expected = alone();
  // Sessions at different depths; calls of 3 (small batch), then 21 rows
  // (prefill), each session's rows in order, the sessions interleaved.
  Session sessions[3] = {Session(engine), Session(engine), Session(engine)};
  size_t length = fixture.tokens.size();
  size_t starts[3] = {0, length / 3, length / 2};
  for (int i = 1; i < 3; ++i) feed(sessions[i], 0, starts[i], 0);
  for (size_t each : {1, 7}) {
    for (;;) {
      std::vector<RowRequest> rows;
      std::vector<size_t> places;
      for (size_t j = 0; j < each; ++j)
        for (Session &session : sessions) {
          size_t at = size_t(session.position()) + j;
          if (at >= length || (each == 1 && at >= length / 2 + 9)) continue;
          rows.push_back({&session, fixture.tokens[at], true});
          places.push_back(at);
        }
      if (rows.empty()) break;
      size_t seen = 0;
      auto status =
          engine.step(rows, [&](size_t row, std::span<const float> logits) {
            EXPECT_EQ(Row(logits.begin(), logits.end()), expected[places[row]])
                << "row " << row << " of " << rows.size() << ", position "
                << places[row];
            ++seen;
          });
      ASSERT_EQ(status.message(), "");
      ASSERT_EQ(seen, rows.size());
      ASSERT_FALSE(HasFailure());
    }
  }
  for (Session &session : sessions)
    EXPECT_EQ(size_t(session.position()), length);
}

TEST_P(CompiledSessionTest, ResetAndRewoundSessionsGiveTheSameBits) {
  std::vector<Row> expected = alone();
  size_t length = fixture.tokens.size();
  Session session(engine);
  auto check = [&](size_t from, int32_t chunk) {
    std::vector<Row> rows = feed(session, from, length - from, chunk);
    ASSERT_EQ(rows.size(), length - from);
    for (size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(rows[i], expected[from + i]) << "position " << from + i;
  };
  check(0, 0);
  bool free = false, again = false;
  for (size_t to :
       {length - 1, length - 5, length / 2, length / 4, size_t{1}}) {
    SCOPED_TRACE(testing::Message() << "rewound to " << to);
    (session.canRewindFreely(int32_t(to)) ? free : again) = true;
    ASSERT_EQ(session.rewind(int32_t(to)).message(), "");
    check(to, 5);
  }
  EXPECT_TRUE(free);
  if (length > 400) EXPECT_TRUE(again);
  session.reset();
  // Another text in between leaves stale keys behind.
  std::vector<int32_t> other(fixture.tokens.rbegin(), fixture.tokens.rend());
  ASSERT_TRUE(session.feed(other, Wanted::None, nullptr).ok());
  session.reset();
  check(0, 7);
}

// Tokens of the largest logits, the lowest id of equals, from the head that
// writes no logits: alone, in small batches and in prefills over two calls of
// the head.
TEST_P(CompiledSessionTest, TheArgMaxIsThatOfTheLogits) {
  ASSERT_NE(model.code().arg_max, nullptr);
  std::vector<int32_t> expected;
  for (const Row &row : alone())
    expected.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  for (int threads : {1, 2}) {
    Engine fresh;
    ASSERT_EQ(fresh.start(model, threads).message(), "");
    int64_t before = fresh.workingBytes();
    for (int32_t chunk : {1, 7, 24}) {
      Session session(fresh);
      std::vector<int32_t> found;
      auto status =
          session.feed(fixture.tokens, Wanted::All, nullptr, chunk, nullptr,
                       [&](size_t, int32_t token) { found.push_back(token); });
      ASSERT_EQ(status.message(), "");
      EXPECT_EQ(found, expected) << "chunk " << chunk;
    }
    EXPECT_EQ(fresh.workingBytes(), before);
  }
}

const Case kCases[] = {
    {"long-narrow-window", "f32", "x86_64-avx2"},
    {"long-prompt", "int8", "x86_64-avx2"},
    {"long-prompt", "int8", "portable"},
    {"long-prompt", "int8", "x86_64-avx512"},
    {"long-prompt", "int8", "x86_64-amx"},
    {"gguf-mixed", "keep", "x86_64-avx2"},
    {"gemma1-odd-sizes", "int4", "portable"},
    {"gemma2-odd-sizes", "keep", "x86_64-avx2"},
    {"gemma2-long-prompt", "int8", "x86_64-avx2"},
};

INSTANTIATE_TEST_SUITE_P(, CompiledSessionTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case> &info) {
                           return testName(std::string(info.param.fixture) +
                                           "_as_" + info.param.quant + "_on_" +
                                           info.param.target);
                         });

}  // namespace
}  // namespace gemmac::endtoend
