// SPDX-License-Identifier: Apache-2.0
// Compiled models in fewer bits, each against the reference interpreter on the
// same quantized module: the same bits on every target, however the sequence is
// fed.
#include "gtest/gtest.h"
#include "test/end-to-end/Harness.h"

namespace gemmac::endtoend {
namespace {

const char *const kTargets[] = {"portable", "x86_64-avx2", "x86_64-avx512",
                                "x86_64-amx"};

// The interpreter itself is close to Hugging Face's f32: int4 moves logits by
// up to 0.34 (root mean square), 8 bits by 0.21 where logits scatter by 3.3; a
// wrong graph moves them by about as much as they scatter.
constexpr double kLargestEffect = 0.4;

struct Case {
  const char *fixture;
  const char *quant;
  const char *keyValueFormat;
};

void PrintTo(const Case &c, std::ostream *os) {
  *os << c.fixture << " as " << c.quant;
}

const Case kCases[] = {
    {"rope-factor", "int8", "f32"},
    {"rope-factor", "int8", "bf16"},
    {"rope-factor", "int4", "f32"},
    {"rope-factor", "bf16", "bf16"},
    {"long-prompt", "int8", "f32"},
    {"long-prompt", "int4", "bf16"},
    {"untied-head", "int8", "f32"},
    {"untied-head", "int4", "f32"},
    {"bf16", "int8", "f32"},
    {"bf16", "keep", "f32"},
    {"bf16", "bf16", "f32"},
    {"gguf-mixed", "keep", "f32"},
    {"gguf-mixed", "keep", "bf16"},
    {"gguf-mixed", "int8", "f32"},
    {"gemma1-gguf", "keep", "bf16"},
    {"gemma2-gguf", "keep", "bf16"},
    {"gemma2-long-prompt", "int8", "f32"},
    // No block of 32 divides its columns: they stay in a float format.
    {"odd-sizes", "int8", "f32"},
    {"odd-sizes", "bf16", "f32"},
};

class QuantizedTest : public testing::TestWithParam<Case> {};

std::vector<std::string> optionsOf(const Case &c) {
  return {"--quant", c.quant, "--kv", c.keyValueFormat};
}

TEST_P(QuantizedTest, EqualsTheInterpreterOnEveryTarget) {
  const Case &c = GetParam();
  Fixture fixture = loadFixture(c.fixture);
  Workshop workshop;
  auto judge = evaluateStage(
      workshop, fixture.checkpoint, "quantization", optionsOf(c),
      fixture.tokens,
      {.keyValueFormat = c.keyValueFormat, .order = Order::Exact});
  ASSERT_TRUE(judge);
  EXPECT_LE(rootMeanSquareDifference(*judge, fixture.logits), kLargestEffect);
  for (const char *target : kTargets) {
    SCOPED_TRACE(target);
    if (!whyTargetCannotRun(target).empty()) continue;
    std::vector<std::string> options = optionsOf(c);
    options.insert(options.end(), {"--target", target});
    std::string app = build(workshop, fixture.checkpoint,
                            std::string("app-") + target, options);
    if (app.empty()) return;
    for (Feeding feeding : kFeedings) {
      SCOPED_TRACE(testing::Message() << "chunk " << feeding.chunk
                                      << ", threads " << feeding.threads);
      auto logits = evaluateApp(workshop, app, fixture.tokens, feeding);
      ASSERT_TRUE(logits);
      EXPECT_TRUE(sameBits(*logits, *judge));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, QuantizedTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case> &info) {
                           return testName(std::string(info.param.fixture) +
                                           "_as_" + info.param.quant + "_kv_" +
                                           info.param.keyValueFormat);
                         });

}  // namespace
}  // namespace gemmac::endtoend
