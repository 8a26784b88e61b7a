// SPDX-License-Identifier: Apache-2.0
// Fixtures, programs and comparisons of the end-to-end tests; see Harness.h.
#include "test/end-to-end/Harness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "dialects/gemma/Gemma.h"
#include "gtest/gtest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Program.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "nlohmann/json.hpp"
#include "targets/Target.h"
#include "test/support/reference/Interpreter.h"
#include "test/support/reference/Npy.h"

using namespace gemmac;
using namespace gemmac::endtoend;

namespace {

std::string readText(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<Tensor> readLogits(const std::string &path) {
  std::string error;
  std::optional<Tensor> logits = reference::readNpy(path, error);
  if (!logits) ADD_FAILURE() << error;
  return logits;
}

std::string commandLine(const std::vector<std::string> &command) {
  std::string text;
  for (const std::string &word : command) text += word + " ";
  return text;
}

}  // namespace

std::string endtoend::compilerPath() {
  const char *chosen = std::getenv("GEMMAC");
  return chosen ? chosen : GEMMAC_BINARY;
}

std::vector<int32_t> endtoend::readIds(const std::string &path) {
  auto ids = nlohmann::json::parse(std::ifstream(path), nullptr,
                                   /*allow_exceptions=*/false);
  EXPECT_TRUE(ids.is_array()) << "expected an array of ids in " << path;
  return ids.is_array() ? ids.get<std::vector<int32_t>>()
                        : std::vector<int32_t>();
}

void endtoend::writeIds(const std::string &path,
                        const std::vector<int32_t> &ids) {
  std::ofstream(path) << nlohmann::json(ids);
}

Fixture endtoend::loadFixture(const std::string &name) {
  Fixture fixture;
  std::string folder = std::string(GEMMAC_FIXTURES) + "/" + name;
  std::string gguf = folder + "/model.gguf";
  fixture.checkpoint = std::filesystem::exists(gguf) ? gguf : folder;
  fixture.tokens = readIds(folder + "/tokens.json");
  fixture.greedy = readIds(folder + "/greedy.json");
  if (auto logits = readLogits(folder + "/logits.npy"))
    fixture.logits = std::move(*logits);
  return fixture;
}

Workshop::Workshop() {
  std::string pattern = testing::TempDir() + "/gemmac-end-to-end-XXXXXX";
  const char *made = mkdtemp(pattern.data());
  EXPECT_TRUE(made) << "cannot create " << pattern;
  root = pattern;
}

Workshop::~Workshop() {
  std::error_code ignored;
  std::filesystem::remove_all(root, ignored);
}

Outcome endtoend::run(const Workshop &workshop,
                      const std::vector<std::string> &command,
                      unsigned seconds) {
  std::string output = workshop.path("stdout.txt");
  std::string errors = workshop.path("stderr.txt");
  // LLVM writes over a file and keeps what is longer.
  std::filesystem::remove(output);
  std::filesystem::remove(errors);
  llvm::SmallVector<llvm::StringRef> words(command.begin(), command.end());
  std::optional<llvm::StringRef> redirects[] = {
      llvm::StringRef(""), llvm::StringRef(output), llvm::StringRef(errors)};
  std::string problem;
  int exitCode =
      llvm::sys::ExecuteAndWait(command.front(), words, std::nullopt, redirects,
                                seconds, /*MemoryLimit=*/0, &problem);
  return {exitCode, readText(output), readText(errors) + problem};
}

std::string endtoend::build(const Workshop &workshop,
                            const std::string &checkpoint,
                            const std::string &appName,
                            const std::vector<std::string> &options) {
  std::string app = workshop.path(appName);
  std::vector<std::string> command = {compilerPath(), "build", checkpoint,
                                      "-o",           app,     "-q"};
  command.insert(command.end(), options.begin(), options.end());
  Outcome outcome = run(workshop, command, /*seconds=*/900);
  if (outcome.exitCode == 0 && std::filesystem::exists(app)) return app;
  ADD_FAILURE() << commandLine(command) << "\nexit code " << outcome.exitCode
                << "\n"
                << outcome.errors;
  return "";
}

std::optional<Tensor> endtoend::evaluateApp(const Workshop &workshop,
                                            const std::string &app,
                                            const std::vector<int32_t> &tokens,
                                            Feeding feeding) {
  std::string ids = workshop.path("ids.json");
  std::string out = workshop.path("logits.npy");
  std::filesystem::remove(out);
  writeIds(ids, tokens);
  std::vector<std::string> command = {
      app,        "eval",
      "--tokens", ids,
      "--chunk",  std::to_string(feeding.chunk),
      "-t",       std::to_string(feeding.threads),
      "--logits", out};
  Outcome outcome = run(workshop, command);
  if (outcome.exitCode == 0) return readLogits(out);
  ADD_FAILURE() << commandLine(command) << "\nexit code " << outcome.exitCode
                << "\n"
                << outcome.errors;
  return std::nullopt;
}

std::optional<Tensor> endtoend::evaluateStage(
    const Workshop &workshop, const std::string &checkpoint,
    const std::string &stage, const std::vector<std::string> &options,
    const std::vector<int32_t> &tokens, const reference::Options &how) {
  std::vector<std::string> all = options;
  all.push_back("--stop-after=" + stage);
  std::string path = build(workshop, checkpoint, stage + ".mlir", all);
  if (path.empty()) return std::nullopt;

  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::scf::SCFDialect, gemma::GemmaDialect,
                  quantized::QuantizedDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
  if (!module) {
    ADD_FAILURE() << "the module after " << stage << " does not parse";
    return std::nullopt;
  }
  mlir::FailureOr<Tensor> logits = reference::evaluate(*module, tokens, how);
  if (mlir::succeeded(logits)) return std::move(*logits);
  ADD_FAILURE() << "the module after " << stage << " cannot be evaluated";
  return std::nullopt;
}

double endtoend::largestDifference(const Tensor &lhs, const Tensor &rhs) {
  double largest = 0;
  if (lhs.shape != rhs.shape) return std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < lhs.values.size(); ++i) {
    double difference = std::fabs(double(lhs.values[i]) - rhs.values[i]);
    if (!std::isfinite(difference))
      return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

double endtoend::rootMeanSquareDifference(const Tensor &lhs,
                                          const Tensor &rhs) {
  double squares = 0;
  if (lhs.shape != rhs.shape) return std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < lhs.values.size(); ++i) {
    double difference = double(lhs.values[i]) - rhs.values[i];
    squares += difference * difference;
  }
  return std::sqrt(squares / lhs.values.size());
}

testing::AssertionResult endtoend::sameBits(const Tensor &lhs,
                                            const Tensor &rhs) {
  if (lhs.shape != rhs.shape)
    return testing::AssertionFailure()
           << "shapes " << testing::PrintToString(lhs.shape) << " and "
           << testing::PrintToString(rhs.shape);
  size_t count = 0, first = 0;
  for (size_t i = lhs.values.size(); i-- > 0;)
    if (std::memcmp(&lhs.values[i], &rhs.values[i], sizeof(float)))
      ++count, first = i;
  if (count == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << count << " of " << lhs.values.size() << " values differ, from row "
         << first / lhs.columns() << " on, by up to "
         << largestDifference(lhs, rhs);
}

std::vector<int32_t> endtoend::lastChoices(const Tensor &logits, size_t count) {
  std::vector<int32_t> choices;
  for (int64_t t = logits.rows() - int64_t(count); t < logits.rows(); ++t) {
    const float *row = logits.row(t);
    choices.push_back(std::max_element(row, row + logits.columns()) - row);
  }
  return choices;
}

std::string endtoend::whyTargetCannotRun(const std::string &target) {
  std::string message;
  const targets::Target *found = targets::lookupTarget(target, message);
  if (!found) return message;
  return found->runsHere() ? "" : "this machine does not run " + target;
}

std::string endtoend::testName(std::string text) {
  for (char &c : text)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return text;
}
