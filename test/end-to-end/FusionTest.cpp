// A fusion changes what is computed together and never a bit: each model is
// built with all fusions, and with each one left out.
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "test/end-to-end/Harness.h"

namespace gemmac::endtoend {
namespace {

// What gemmac says that --disable-pass takes.
std::vector<std::string> fusions(const Workshop &workshop) {
  Outcome outcome = run(workshop, {compilerPath(), "build", "/none",
                                   "--disable-pass=no-such-pass"});
  llvm::StringRef text(outcome.errors);
  text = text.split("expected one of ").second.split(", found").first;
  llvm::SmallVector<llvm::StringRef> names;
  text.split(names, ", ");
  return {names.begin(), names.end()};
}

// Fixture and --quant.
using Case = std::tuple<std::string, std::string>;

class FusionTest : public testing::TestWithParam<Case> {};

TEST_P(FusionTest, LeavingOneOutChangesNoBit) {
  const auto &[name, quant] = GetParam();
  Fixture fixture = loadFixture(name);
  Workshop workshop;
  auto evaluate = [&](const std::vector<std::string> &more, Feeding feeding) {
    std::vector<std::string> options = {"--quant", quant};
    options.insert(options.end(), more.begin(), more.end());
    std::string app = build(workshop, fixture.checkpoint, "app", options);
    if (app.empty()) return std::optional<Tensor>();
    return evaluateApp(workshop, app, fixture.tokens, feeding);
  };
  auto fused = evaluate({}, {512, 2});
  ASSERT_TRUE(fused);
  size_t left = 0;
  for (const std::string &pass : fusions(workshop)) {
    // Lowering knows no other form of attention.
    if (pass == "fuse-attention") continue;
    SCOPED_TRACE(pass);
    ++left;
    for (Feeding feeding : {Feeding{512, 1}, Feeding{1, 2}}) {
      auto logits = evaluate({"--disable-pass=" + pass}, feeding);
      ASSERT_TRUE(logits);
      EXPECT_TRUE(sameBits(*logits, *fused))
          << "differs by up to " << largestDifference(*logits, *fused);
    }
  }
  EXPECT_GE(left, 6u);
}

INSTANTIATE_TEST_SUITE_P(
    , FusionTest,
    testing::Values(Case("odd-sizes", "keep"), Case("gemma2-odd-sizes", "keep"),
                    Case("rope-factor", "int8"), Case("bf16", "int4"),
                    Case("long-prompt", "bf16")),
    [](const testing::TestParamInfo<Case> &info) {
      return testName(std::string(std::get<0>(info.param)) + "_as_" +
                      std::get<1>(info.param));
    });

}  // namespace
}  // namespace gemmac::endtoend
