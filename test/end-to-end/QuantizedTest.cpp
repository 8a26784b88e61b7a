// Compiled models in fewer bits, each against the reference interpreter on the
// same quantized module; and the promise that integer formats give the same
// bits on every target.
#include <tuple>

#include "gtest/gtest.h"
#include "test/end-to-end/Harness.h"

namespace gemmac::endtoend {
namespace {

const char *const kTargets[] = {"portable", "x86_64-avx2", "x86_64-avx512"};

// How close a compiled model is to the interpreter. Its floats (norms,
// attention, GeGLU) differ by f32 roundings of about 1e-6. Without activation
// codes that is all. With them, a value that lies within such a rounding of
// the middle of two codes falls to the other side now and then, and moves a
// logit by a share of what quantisation itself moves it by. So two bounds:
// the root mean square must be a small share of the quantisation's own effect
// (a wrong scale, zero point or order of groups would be of its size), and no
// logit may be off by more than a flipped code explains. Moving eps by 3e-10
// moved the interpreter's own logits by at most 8e-4 of quantisation's effect
// and 0.0105 in one logit, over four fixtures and two formats.
constexpr double kFloatTolerance = 1e-3;
constexpr double kShareOfQuantisation = 0.02;
constexpr double kFlippedCode = 0.05;

struct Case {
  const char *fixture;
  const char *quant;
  const char *keyValueFormat;
  bool integer;  // products on codes
};

void PrintTo(const Case &c, std::ostream *os) {
  *os << c.fixture << " as " << c.quant;
}

const Case kCases[] = {
    {"rope-factor", "int8", "f32", true},
    {"rope-factor", "int8", "bf16", true},
    {"rope-factor", "int4", "f32", true},
    {"rope-factor", "bf16", "bf16", false},
    {"long-prompt", "int8", "f32", true},
    {"long-prompt", "int4", "bf16", true},
    {"untied-head", "int8", "f32", true},
    {"untied-head", "int4", "f32", true},
    {"bf16", "int8", "f32", true},
    {"bf16", "keep", "f32", false},
    {"bf16", "bf16", "f32", false},
    {"gguf-mixed", "keep", "f32", true},
    {"gguf-mixed", "keep", "bf16", true},
    {"gguf-mixed", "int8", "f32", true},
    // No block of 32 divides its columns: they stay in a float format.
    {"odd-sizes", "int8", "f32", false},
    {"odd-sizes", "bf16", "f32", false},
};

class QuantizedTest : public testing::TestWithParam<Case> {};

std::vector<std::string> optionsOf(const Case &c) {
  return {"--quant", c.quant, "--kv", c.keyValueFormat};
}

// All feedings of one executable; the logits, which are the same for each.
std::optional<Tensor> evaluateEveryWay(const Workshop &workshop,
                                       const std::string &app,
                                       const Fixture &fixture) {
  std::optional<Tensor> first;
  for (Feeding feeding : kFeedings) {
    auto logits = evaluateApp(workshop, app, fixture.tokens, feeding);
    if (!logits) return std::nullopt;
    if (!first)
      first = std::move(logits);
    else
      EXPECT_TRUE(sameBits(*logits, *first))
          << "chunk " << feeding.chunk << ", threads " << feeding.threads
          << ": differs by up to " << largestDifference(*logits, *first);
  }
  return first;
}

TEST_P(QuantizedTest, AgreesWithTheInterpreterOnEveryTarget) {
  const Case &c = GetParam();
  Fixture fixture = loadFixture(c.fixture);
  Workshop workshop;
  auto judge = evaluateStage(workshop, fixture.checkpoint, "quantization",
                             optionsOf(c), fixture.tokens, c.keyValueFormat);
  ASSERT_TRUE(judge);
  double effect = rootMeanSquareDifference(*judge, fixture.logits);

  std::optional<Tensor> portable;
  for (const char *target : kTargets) {
    SCOPED_TRACE(target);
    if (!whyTargetCannotRun(target).empty()) continue;
    std::vector<std::string> options = optionsOf(c);
    options.insert(options.end(), {"--target", target});
    std::string app = build(workshop, fixture.checkpoint,
                            std::string("app-") + target, options);
    if (app.empty()) return;
    auto logits = evaluateEveryWay(workshop, app, fixture);
    ASSERT_TRUE(logits);
    double largest = largestDifference(*logits, *judge);
    double usual = rootMeanSquareDifference(*logits, *judge);
    RecordProperty("largest", std::to_string(largest));
    RecordProperty("rms", std::to_string(usual));
    RecordProperty("effect", std::to_string(effect));
    if (c.integer) {
      EXPECT_LE(usual, kShareOfQuantisation * effect);
      EXPECT_LE(largest, kFlippedCode);
    } else {
      EXPECT_LE(largest, kFloatTolerance);
    }
    if (!portable)
      portable = std::move(logits);
    else if (c.integer)
      EXPECT_TRUE(sameBits(*logits, *portable))
          << "differs from portable by up to "
          << largestDifference(*logits, *portable);
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
