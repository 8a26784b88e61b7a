// SPDX-License-Identifier: Apache-2.0
// A fusion changes what is computed together and never a bit: each model is
// built with all fusions, and with each one left out.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
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
  EXPECT_GE(left, 7u);
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

// The tokens of each line's answer.
std::vector<std::vector<int32_t>> tokensOf(const std::string &output) {
  std::vector<std::vector<int32_t>> answers;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    answers.push_back(nlohmann::json::parse(line)["tokens"]);
  return answers;
}

class GreedyTest : public testing::TestWithParam<Case> {};

// What the arg-max in the head answers, the logits answer: alone, and lines
// that share their passes.
TEST_P(GreedyTest, AnswersDoNotDependOnFuseHeadSampling) {
  const auto &[name, quant] = GetParam();
  Workshop workshop;
  std::filesystem::path fixture = loadFixture(name).checkpoint;
  std::string folder = workshop.path("model");
  std::filesystem::create_directory(folder);
  for (const char *file : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(fixture / file, folder + "/" + file);
  std::filesystem::copy_file(
      fixture / "../../../importer/tokenizer/json/tokenizer.json",
      folder + "/tokenizer.json");
  std::string lines = workshop.path("lines");
  std::ofstream(lines) << R"({"prompt":"one"}
{"prompt":"and two","max_tokens":9}
{"prompt":"three of them"}
)";
  auto answers = [&](const std::string &app, const char *threads) {
    std::vector<std::vector<int32_t>> tokens;
    for (const std::vector<std::string> &input :
         {std::vector<std::string>{"--jsonl", lines},
          {"-p", "and two", "--json"}}) {
      std::vector<std::string> words = {app,  "generate", "--raw", "--greedy",
                                        "-n", "30",       "-t",    threads};
      words.insert(words.end(), input.begin(), input.end());
      Outcome outcome = run(workshop, words);
      EXPECT_EQ(outcome.exitCode, 0) << outcome.errors;
      for (const auto &answer : tokensOf(outcome.output))
        tokens.push_back(answer);
    }
    return tokens;
  };
  std::string fused = build(workshop, folder, "fused", {"--quant", quant});
  std::string plain =
      build(workshop, folder, "plain",
            {"--quant", quant, "--disable-pass=fuse-head-sampling"});
  ASSERT_FALSE(fused.empty() || plain.empty());
  auto hasArgMax = [&](const std::string &app) {
    auto info =
        nlohmann::json::parse(run(workshop, {app, "info", "--json"}).output);
    return info["code"]["arg_max"].get<bool>();
  };
  EXPECT_TRUE(hasArgMax(fused));
  EXPECT_FALSE(hasArgMax(plain));
  auto expected = answers(plain, "1");
  ASSERT_EQ(expected.size(), 4u);
  size_t count = 0;
  for (const auto &answer : expected) count += answer.size();
  EXPECT_GT(count, 40u);
  for (const char *threads : {"1", "2"})
    EXPECT_EQ(answers(fused, threads), expected);
}

INSTANTIATE_TEST_SUITE_P(, GreedyTest,
                         testing::Values(Case("gemma1-odd-sizes", "int8"),
                                         Case("gemma2-odd-sizes", "keep"),
                                         Case("gemma2-odd-sizes", "int4"),
                                         Case("odd-sizes", "int4")),
                         [](const testing::TestParamInfo<Case> &info) {
                           return testName(
                               std::string(std::get<0>(info.param)) + "_as_" +
                               std::get<1>(info.param));
                         });

}  // namespace
}  // namespace gemmac::endtoend
