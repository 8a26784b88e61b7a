// SPDX-License-Identifier: Apache-2.0
// What the end-to-end tests share: fixtures, programs run as a user runs them,
// and comparisons of logits. The tests see only command lines and files; no
// part of the compiler or the runtime is linked into them, except for the
// dialects and the reference interpreter that judge a printed module.
#ifndef GEMMAC_TEST_END_TO_END_HARNESS_H
#define GEMMAC_TEST_END_TO_END_HARNESS_H

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/support/reference/Options.h"
#include "test/support/reference/Tensor.h"

namespace gemmac::endtoend {

using reference::Order;
using reference::Tensor;

// One folder of test/end-to-end/fixtures: a checkpoint and what Hugging Face
// transformers computes with it in f32 (test/support/oracle made it).
struct Fixture {
  std::string checkpoint;  // the folder, or the GGUF file in it
  std::vector<int32_t> tokens;
  Tensor logits;                // [T, V]
  std::vector<int32_t> greedy;  // the arg-max continuation of tokens
};
Fixture loadFixture(const std::string &name);

// The compiler under test: $GEMMAC, else the one of this build.
std::string compilerPath();

std::vector<int32_t> readIds(const std::string &path);
void writeIds(const std::string &path, const std::vector<int32_t> &ids);

// A folder of its own for the files of one test, removed with it.
class Workshop {
 public:
  Workshop();
  ~Workshop();
  std::string path(const std::string &name) const { return root + "/" + name; }

 private:
  std::string root;
};

struct Outcome {
  int exitCode;
  std::string output;  // stdout
  std::string errors;  // stderr
};
// The first argument is the program's path. A program that does not end
// within `seconds` is killed and counts as exit code -2.
Outcome run(const Workshop &workshop, const std::vector<std::string> &command,
            unsigned seconds = 300);

// Runs `gemmac build CHECKPOINT -o app ...`; reports a test failure (and gives
// an empty path) when that fails.
std::string build(const Workshop &workshop, const std::string &checkpoint,
                  const std::string &appName,
                  const std::vector<std::string> &options);

// How a sequence is fed to an executable.
struct Feeding {
  int chunk;
  int threads;
};
inline constexpr Feeding kFeedings[] = {{512, 1}, {512, 2}, {7, 1},
                                        {7, 2},   {1, 1},   {1, 2}};

// Logits of every position, by `app eval --logits`. Empty after a reported
// test failure.
std::optional<Tensor> evaluateApp(const Workshop &workshop,
                                  const std::string &app,
                                  const std::vector<int32_t> &tokens,
                                  Feeding feeding);

// The module at the seam after `stage`, evaluated by the reference
// interpreter. Empty after a reported test failure.
std::optional<Tensor> evaluateStage(const Workshop &workshop,
                                    const std::string &checkpoint,
                                    const std::string &stage,
                                    const std::vector<std::string> &options,
                                    const std::vector<int32_t> &tokens,
                                    const reference::Options &how);

// Infinite where shapes differ or a value is not a number.
double largestDifference(const Tensor &lhs, const Tensor &rhs);
double rootMeanSquareDifference(const Tensor &lhs, const Tensor &rhs);
// Says where and by how much they differ.
testing::AssertionResult sameBits(const Tensor &lhs, const Tensor &rhs);
// The arg-max of the last `count` rows.
std::vector<int32_t> lastChoices(const Tensor &logits, size_t count);

// Why executables for `target` cannot run here; empty when they can.
std::string whyTargetCannotRun(const std::string &target);

// Test names: letters, digits and underscores only.
std::string testName(std::string text);

}  // namespace gemmac::endtoend

#endif
