// SPDX-License-Identifier: Apache-2.0
// The reference interpreter against numbers worked out by hand, op by op, in
// either order. Each module reads its weights from a file written here. The
// interpreter against Hugging Face is in test/end-to-end.
#include "test/support/reference/Interpreter.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/WeightFormat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

namespace gemmac::reference {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

// One rounding of a value near 1.
constexpr float kRounding = 1e-6f;

class InterpreterTest : public testing::TestWithParam<Order> {
 protected:
  InterpreterTest() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect,
                    mlir::scf::SCFDialect, gemma::GemmaDialect,
                    quantized::QuantizedDialect>();
    context.appendDialectRegistry(registry);
  }

  // Appends `bytes` to the checkpoint and a quantized.weight to the module.
  void addBytes(const std::string &name, const std::string &type,
                const std::string &sourceFormat, const std::string &bytes) {
    weights += "quantized.weight @" + name + " : !quantized.tensor<" + type +
               "> from [#quantized.source<file = 0, offset = " +
               std::to_string(checkpoint.size()) +
               ", bytes = " + std::to_string(bytes.size()) + ", format = \"" +
               sourceFormat + "\">] {layout = #quantized.layout<" +
               (type.find('x') < type.find(',') ? "rows_in_lanes" : "dense") +
               ">}\n";
    checkpoint += bytes;
  }

  void addFloats(const std::string &name, const std::string &type,
                 const std::vector<float> &values) {
    std::string bytes(values.size() * sizeof(float), 0);
    std::memcpy(bytes.data(), values.data(), bytes.size());
    addBytes(name, type, "f32", bytes);
  }

  // `functions` beside the weights; @forward among them.
  mlir::FailureOr<Tensor> evaluateModule(const std::string &functions,
                                         std::vector<int32_t> tokens,
                                         Options options = {}) {
    options.order = GetParam();
    // Of this process alone: cases run in parallel.
    std::string path = testing::TempDir() + "/interpreter-test-" +
                       std::to_string(getpid()) + ".weights";
    std::ofstream(path, std::ios::binary) << checkpoint;
    std::string text = "module attributes {gemma.sources = [\"" + path +
                       "\"]} {\n" + weights + functions + "}\n";
    mlir::ScopedDiagnosticHandler handler(&context,
                                          [&](mlir::Diagnostic &diagnostic) {
                                            errors += diagnostic.str();
                                            return mlir::success();
                                          });
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text << errors;
    if (!module) return mlir::failure();
    return evaluate(*module, tokens, options);
  }

  // The body of @forward, where %x is `input` (one row a token, embedded);
  // ends in %y of `columns` columns.
  std::vector<float> run(const std::string &body,
                         const std::vector<std::vector<float>> &input,
                         int64_t columns, Options options = {}) {
    std::vector<float> table;
    std::vector<int32_t> tokens;
    for (const std::vector<float> &row : input) {
      tokens.push_back(tokens.size());
      table.insert(table.end(), row.begin(), row.end());
    }
    std::string width = std::to_string(input.front().size());
    std::string type = std::to_string(input.size()) + "x" + width + ", f32";
    addFloats("input", type, table);
    auto result = evaluateModule(
        "func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> "
        "tensor<?x" +
            std::to_string(columns) +
            "xf32> {\n"
            "%w_in = quantized.reference @input : !quantized.tensor<" +
            type +
            ">\n"
            "%x = gemma.embed %t, %w_in {scale = 1.0 : f32} : "
            "tensor<?xi32>, !quantized.tensor<" +
            type + "> -> tensor<?x" + width + "xf32>\n" + body +
            "\nfunc.return %y : tensor<?x" + std::to_string(columns) +
            "xf32>\n}\n",
        tokens, options);
    EXPECT_TRUE(mlir::succeeded(result)) << errors;
    if (mlir::failed(result)) return {};
    EXPECT_THAT(result->shape, ElementsAre(input.size(), columns));
    return result->values;
  }

  mlir::MLIRContext context;
  std::string checkpoint, weights, errors;
};

TEST_P(InterpreterTest, EmbedScalesRowsOfTheTable) {
  addFloats("table", "3x2, f32", {1, 2, 3, 4, 5, 6});
  auto result = evaluateModule(R"(
    func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x2xf32> {
      %w = quantized.reference @table : !quantized.tensor<3x2, f32>
      %y = gemma.embed %t, %w {scale = 0.5 : f32} : tensor<?xi32>, !quantized.tensor<3x2, f32> -> tensor<?x2xf32>
      func.return %y : tensor<?x2xf32>
    })",
                               {2, 0});
  ASSERT_TRUE(mlir::succeeded(result)) << errors;
  EXPECT_THAT(result->values, ElementsAre(2.5f, 3.0f, 0.5f, 1.0f));
}

TEST_P(InterpreterTest, RmsNormTreatsEachSegmentAlone) {
  addFloats("gain", "2, f32", {0.0f, 1.0f});
  auto y = run(R"(
    %g = quantized.reference @gain : !quantized.tensor<2, f32>
    %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x4xf32>, !quantized.tensor<2, f32>)",
               {{3, 4, 6, -8}}, 4);
  // (3, 4) / sqrt(12.5) and (6, -8) / sqrt(50) are the same but for a sign.
  float low = 3 / std::sqrt(12.5f), high = 2 * 4 / std::sqrt(12.5f);
  EXPECT_THAT(y, Pointwise(FloatNear(kRounding), {low, high, low, -high}));
}

TEST_P(InterpreterTest, LinearMultipliesByTheTransposedWeight) {
  addFloats("w", "3x2, f32", {1, 2, 3, -1, 0, 5});
  auto y = run(R"(
    %w = quantized.reference @w : !quantized.tensor<3x2, f32>
    %y = gemma.linear %x, %w : tensor<?x2xf32>, !quantized.tensor<3x2, f32> -> tensor<?x3xf32>)",
               {{1, 10}, {2, 0}}, 3);
  EXPECT_THAT(y, ElementsAre(21, -7, 50, 2, 6, 0));
}

TEST_P(InterpreterTest, ArgMaxTakesTheFirstOfTheLargest) {
  const float nan = std::nanf(""), inf = INFINITY;
  auto largest = [&](const std::vector<float> &numbers) {
    weights.clear(), checkpoint.clear();
    std::string n = std::to_string(numbers.size());
    addFloats("w", n + "x1, f32", numbers);
    return run(R"(
    %w = quantized.reference @w : !quantized.tensor<)" +
                   n + R"(x1, f32>
    %l, %y = gemma.linear %x, %w {epilogue = #quantized.epilogue<arg_max>} : tensor<?x1xf32>, !quantized.tensor<)" +
                   n + R"(x1, f32> -> tensor<?x)" + n +
                   R"(xf32>, tensor<?x2xf32>)",
               {{1}, {-2}}, 2);
  };
  EXPECT_THAT(largest({1, 7, -3, 7}), ElementsAre(7, 1, 6, 2));
  EXPECT_THAT(largest({-5, -1, -1}), ElementsAre(-1, 1, 10, 0));
  EXPECT_THAT(largest({nan, 2, nan, 4}), ElementsAre(4, 3, -4, 1));
  EXPECT_THAT(largest({nan, nan}), ElementsAre(-inf, 0, -inf, 0));
  EXPECT_THAT(largest({nan, -inf, -inf}), ElementsAre(-inf, 1, inf, 1));
}

TEST_P(InterpreterTest, RopeRotatesHalvesOfEveryHead) {
  auto y = run(R"(
    %a = gemma.rope_angles %p {theta = 1.0e+02 : f64, factor = 2.0 : f64} : tensor<?xi32> -> tensor<?x4xf32>
    %y = gemma.rope %x, %a : tensor<?x8xf32>, tensor<?x4xf32>)",
               {{9, 9, 9, 9, 9, 9, 9, 9}, {1, 0, 0, 0, 0, 0, 0, 2}}, 8);
  // Position 0 rotates by nothing. Position 1: frequencies 1/2 and 0.1/2.
  std::vector<float> rotated = {
      std::cos(0.5f),       0, std::sin(0.5f),     0, 0,
      -2 * std::sin(0.05f), 0, 2 * std::cos(0.05f)};
  EXPECT_THAT(std::vector<float>(y.begin(), y.begin() + 8),
              testing::Each(9.0f));
  EXPECT_THAT(std::vector<float>(y.begin() + 8, y.end()),
              Pointwise(FloatNear(kRounding), rotated));
}

TEST_P(InterpreterTest, AttentionSoftmaxAndWindow) {
  const float ln2 = std::log(2.0f);
  // Two query heads share one kv head; value = key = x.
  addFloats("one", "2x1, f32", {1, 0});
  auto body = [](const char *window) {
    return std::string(R"(
    %one = quantized.reference @one : !quantized.tensor<2x1, f32>
    %q = gemma.linear %x, %one : tensor<?x1xf32>, !quantized.tensor<2x1, f32> -> tensor<?x2xf32>
    %y = gemma.attention %q, %x, %x, %p {head_dim = 1 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = )") +
           window +
           " : i64} : tensor<?x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>, "
           "tensor<?xi32>";
  };
  // Row 2 has q = 1, keys 0, ln 2, 1 (weights 1, 2, e) for head 0; head 1 has
  // q = 0 and takes the mean.
  const float e = std::exp(1.0f);
  auto y = run(body("0"), {{0}, {ln2}, {1}}, 2);
  EXPECT_NEAR(y[4], (2 * ln2 + e) / (3 + e), kRounding);
  EXPECT_NEAR(y[5], (ln2 + 1) / 3, kRounding);
  weights.clear(), checkpoint.clear();
  addFloats("one", "2x1, f32", {1, 0});
  y = run(body("2"), {{0}, {ln2}, {1}}, 2);
  EXPECT_NEAR(y[4], (2 * ln2 + e) / (2 + e), kRounding);
  EXPECT_NEAR(y[5], (ln2 + 1) / 2, kRounding);
}

TEST_P(InterpreterTest, KeysAndValuesAreRoundedOnRequest) {
  const float value = 1 + 1.0f / 512;  // between two bf16 numbers, ties to 1
  const char *body =
      "%y = gemma.attention %x, %x, %x, %p {head_dim = 1 : i64, scale = 1.0 : "
      "f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x1xf32>, "
      "tensor<?x1xf32>, tensor<?x1xf32>, tensor<?xi32>";
  EXPECT_THAT(run(body, {{value}}, 1), ElementsAre(value));
  weights.clear(), checkpoint.clear();
  EXPECT_THAT(run(body, {{value}}, 1, {.keyValueFormat = "bf16"}),
              ElementsAre(1.0f));
}

TEST_P(InterpreterTest, ElementwiseFormulas) {
  auto y = run("%y = gemma.softcap %x {cap = 2.0 : f32} : tensor<?x2xf32>",
               {{1, -100}}, 2);
  EXPECT_THAT(y, Pointwise(FloatNear(kRounding), {2 * std::tanh(0.5f), -2.0f}));
  weights.clear(), checkpoint.clear();
  // gelu_tanh(1) = 0.84119199, by torch.
  y =
      run("%g = gemma.geglu %x, %x : tensor<?x2xf32>\n"
          "%y = gemma.add %g, %x : tensor<?x2xf32>",
          {{1, -1}}, 2);
  EXPECT_THAT(y,
              Pointwise(FloatNear(kRounding), {1.84119199f, -1 + 0.15880801f}));
}

TEST_P(InterpreterTest, LayerAndWantedRowsPassRowsThrough) {
  auto y = run(R"(
    %l = gemma.layer 0 (%arg0 = %x) : (tensor<?x1xf32>) -> tensor<?x1xf32> {
      %s = gemma.add %arg0, %arg0 : tensor<?x1xf32>
      gemma.yield %s : tensor<?x1xf32>
    }
    %y = gemma.wanted_rows %l : tensor<?x1xf32>)",
               {{1}, {5}}, 1);
  EXPECT_THAT(y, ElementsAre(2, 10));
}

// absmax 127 makes the scale 1, so codes are the rounded inputs.
TEST_P(InterpreterTest, MatmulRoundsCodesHalfToEven) {
  std::string row("\x00\x38", 2);  // f16 0.5, then 32 codes
  for (int k = 0; k < 32; ++k) row += char(k < 4 ? k - 2 : 0);
  addBytes("w", "1x32, q8_0", "q8_0", row);
  std::vector<float> x(32, 0.0f);
  x[0] = 0.5f, x[1] = 1.5f, x[2] = 99, x[3] = -62.5f, x[31] = 127;
  auto y = run(R"(
    %w = quantized.reference @w : !quantized.tensor<1x32, q8_0>
    %a = quantized.quantize_activation %x : tensor<?x32xf32> -> !quantized.activations<32, scale_per_32>
    %y = quantized.matmul %a, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<1x32, q8_0> -> tensor<?x1xf32>)",
               {x, std::vector<float>(32, 1e-38f)}, 1);
  // Codes 0, 2, 99, -62 times -2, -1, 0, 1, times 0.5. Below 2^-110: zero.
  EXPECT_THAT(y, ElementsAre(-32, 0));
}

TEST_P(InterpreterTest, MatmulSubtractsZeroPointAndAddsMinimum) {
  // q4_0: d = 1, every code 9, so every weight is 1.
  addBytes("w", "1x32, q4_0", "q4_0",
           std::string("\x00\x3c", 2) + std::string(16, '\x99'));
  // q4_1: d = 2, offset 0.5, every code 3, so every weight is 6.5.
  addBytes("v", "1x32, q4_1", "q4_1",
           std::string("\x00\x40\x00\x38", 4) + std::string(16, '\x33'));
  std::vector<float> x(32, 127);
  auto y = run(R"(
    %w = quantized.reference @w : !quantized.tensor<1x32, q4_0>
    %v = quantized.reference @v : !quantized.tensor<1x32, q4_1>
    %a = quantized.quantize_activation %x : tensor<?x32xf32> -> !quantized.activations<32, scale_per_32>
    %b = quantized.matmul %a, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<1x32, q4_0> -> tensor<?x1xf32>
    %c = quantized.matmul %a, %v : !quantized.activations<32, scale_per_32>, !quantized.tensor<1x32, q4_1> -> tensor<?x1xf32>
    %y = gemma.add %b, %c : tensor<?x1xf32>)",
               {x}, 1);
  EXPECT_THAT(y, ElementsAre(127 * 32 * 1 + 127 * 32 * 6.5));
}

// Every code format: matmul on codes against a float product of
// decodeReference with the dequantised activations. They differ by the order
// and rounding of some 16 f32 sums of about 100.
TEST_P(InterpreterTest, MatmulAgreesWithDecodedWeights) {
  for (const quantized::WeightFormat *format : quantized::allFormats()) {
    if (format->isFloat()) continue;
    SCOPED_TRACE(format->name().str());
    weights.clear(), checkpoint.clear();
    std::string bytes;
    for (unsigned i = 0; i < format->sourceBytes(3, 256); ++i)
      bytes += char(i * 37 + i / 7);
    // Random f16 bits would hold infinities: put small ones everywhere.
    for (size_t i = 1; i < bytes.size(); i += 2) bytes[i] &= 0x2f;
    std::string type = "3x256, " + format->name().str();
    addBytes("w", type, format->name().str(), bytes);
    std::vector<float> x(256);
    for (int k = 0; k < 256; ++k) x[k] = (k * 89 % 255 - 127) * 0.0625f;
    for (int k = 0; k < 256; k += 32) x[k] = 127 * 0.0625f;  // exact codes
    auto y = run(
        "%w = quantized.reference @w : !quantized.tensor<" + type +
            ">\n%a = quantized.quantize_activation %x : "
            "tensor<?x256xf32> -> !quantized.activations<256, scale_per_32>\n"
            "%y = quantized.matmul %a, %w : "
            "!quantized.activations<256, scale_per_32>, !quantized.tensor<" +
            type + "> -> tensor<?x3xf32>",
        {x}, 3);
    std::vector<float> row(256);
    for (int n = 0; n < 3; ++n) {
      format->decodeReference(reinterpret_cast<const uint8_t *>(bytes.data()) +
                                  n * format->sourceBytes(1, 256),
                              256, row.data());
      double sum = 0, size = 0;
      for (int k = 0; k < 256; ++k) {
        sum += double(row[k]) * x[k];
        size += std::fabs(row[k] * x[k]);
      }
      EXPECT_NEAR(y[n], sum, 1e-5 * size);
    }
  }
}

TEST_P(InterpreterTest, WeightsAreConvertedToTheirType) {
  std::vector<float> values(32);
  for (int k = 0; k < 32; ++k) values[k] = (k - 16) / 7.0f;
  std::string bytes(values.size() * sizeof(float), 0);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  addBytes("w", "1x32, q8_0", "f32", bytes);
  std::vector<float> unit(32, 0.0f);
  unit[3] = 1;
  auto y = run(R"(
    %w = quantized.reference @w : !quantized.tensor<1x32, q8_0>
    %y = gemma.linear %x, %w : tensor<?x32xf32>, !quantized.tensor<1x32, q8_0> -> tensor<?x1xf32>)",
               {unit}, 1);
  EXPECT_NE(y[0], values[3]);
  // Half a step of 8 bits over the largest value, 16 / 7.
  EXPECT_NEAR(y[0], values[3], 16.0 / 7 / 127 / 2 * 1.01);
}

constexpr char kOutlined[] = R"(
  quantized.weight_table @table [@a, @b] : !quantized.tensor<1x1, f32>
  func.func private @layer(%x: tensor<?x1xf32>, %i: index) -> tensor<?x1xf32> {
    %w = quantized.reference @table[%i] : !quantized.tensor<1x1, f32>
    %y = gemma.linear %x, %w : tensor<?x1xf32>, !quantized.tensor<1x1, f32> -> tensor<?x1xf32>
    func.return %y : tensor<?x1xf32>
  }
  func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x1xf32> {
    %w = quantized.reference @in : !quantized.tensor<1x1, f32>
    %x = gemma.embed %t, %w {scale = 1.0 : f32} : tensor<?xi32>, !quantized.tensor<1x1, f32> -> tensor<?x1xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    %0 = func.call @layer(%x, %one) : (tensor<?x1xf32>, index) -> tensor<?x1xf32>
    %1 = scf.for %i = %zero to %two step %one iter_args(%c = %0) -> tensor<?x1xf32> {
      %n = func.call @layer(%c, %i) : (tensor<?x1xf32>, index) -> tensor<?x1xf32>
      scf.yield %n : tensor<?x1xf32>
    }
    func.return %1 : tensor<?x1xf32>
  })";

TEST_P(InterpreterTest, OutlinedLayersTakeWeightsFromTheTable) {
  addFloats("in", "1x1, f32", {1});
  addFloats("a", "1x1, f32", {3});
  addFloats("b", "1x1, f32", {10});
  auto result = evaluateModule(kOutlined, {0});
  ASSERT_TRUE(mlir::succeeded(result)) << errors;
  EXPECT_THAT(result->values, ElementsAre(10 * 3 * 10));
}

constexpr char kEmbedOnly[] = R"(
  func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x1xf32> {
    %w = quantized.reference @in : !quantized.tensor<2x1, f32>
    %x = gemma.embed %t, %w {scale = 1.0 : f32} : tensor<?xi32>, !quantized.tensor<2x1, f32> -> tensor<?x1xf32>
    func.return %x : tensor<?x1xf32>
  })";

TEST_P(InterpreterTest, TokensOutsideTheTableAreErrors) {
  addFloats("in", "2x1, f32", {1, 2});
  EXPECT_TRUE(mlir::failed(evaluateModule(kEmbedOnly, {2})));
  EXPECT_THAT(errors, HasSubstr("expected token ids below 2, found 2"));
}

TEST_P(InterpreterTest, WeightsOutsideTheFileAreErrors) {
  addFloats("in", "2x1, f32", {1, 2});
  checkpoint.resize(4);
  EXPECT_TRUE(mlir::failed(evaluateModule(kEmbedOnly, {0})));
  EXPECT_THAT(errors, HasSubstr("expected 8 bytes at 0, found a file of 4"));
}

TEST_P(InterpreterTest, OpsWithoutAFormulaAreErrors) {
  EXPECT_TRUE(mlir::failed(evaluateModule(R"(
    func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?xi32> {
      %y = arith.addi %t, %t : tensor<?xi32>
      func.return %y : tensor<?xi32>
    })",
                                          {0})));
  EXPECT_THAT(errors, HasSubstr("has no formula for arith.addi"));
}

INSTANTIATE_TEST_SUITE_P(, InterpreterTest,
                         testing::Values(Order::Double, Order::Exact),
                         [](const testing::TestParamInfo<Order> &info) {
                           return info.param == Order::Exact ? "exact"
                                                             : "double";
                         });

// What only one of the two does.
class DoubleTest : public InterpreterTest {};
class ExactTest : public InterpreterTest {};
INSTANTIATE_TEST_SUITE_P(, DoubleTest, testing::Values(Order::Double));
INSTANTIATE_TEST_SUITE_P(, ExactTest, testing::Values(Order::Exact));

TEST_P(DoubleTest, AttentionEqualsItsParts) {
  const char *attributes = "head_dim = 2 : i64, scale = 0.7 : f32";
  std::string parts =
      std::string(R"(
    %s = gemma.attention_scores %x, %x {)") +
      attributes + R"(} : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x2x?xf32>
    %c = gemma.softcap %s {cap = 2.0 : f32} : tensor<?x2x?xf32>
    %m = gemma.mask %c, %p {window = 2 : i64} : tensor<?x2x?xf32>, tensor<?xi32>
    %q = gemma.softmax %m : tensor<?x2x?xf32>
    %y = gemma.attention_values %q, %x : tensor<?x2x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>)";
  std::string whole = std::string("%y = gemma.attention %x, %x, %x, %p {") +
                      attributes +
                      ", softcap = 2.0 : f32, window = 2 : i64} : "
                      "tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, "
                      "tensor<?xi32>";
  std::vector<std::vector<float>> input = {
      {1, 2, -1, 0.5}, {0, 1, 3, -2}, {2, -1, 1, 1}, {-1, 1, 0, 2}};
  auto expected = run(parts, input, 4);
  weights.clear(), checkpoint.clear();
  EXPECT_EQ(run(whole, input, 4), expected);
}

TEST_P(ExactTest, PartsOfAttentionHaveNoOrder) {
  addFloats("in", "1x1, f32", {1});
  EXPECT_TRUE(mlir::failed(evaluateModule(R"(
    func.func @forward(%t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x1x?xf32> {
      %w = quantized.reference @in : !quantized.tensor<1x1, f32>
      %x = gemma.embed %t, %w {scale = 1.0 : f32} : tensor<?xi32>, !quantized.tensor<1x1, f32> -> tensor<?x1xf32>
      %y = gemma.attention_scores %x, %x {head_dim = 1 : i64, scale = 1.0 : f32} : tensor<?x1xf32>, tensor<?x1xf32> -> tensor<?x1x?xf32>
      func.return %y : tensor<?x1x?xf32>
    })",
                                          {0})));
  EXPECT_THAT(errors, HasSubstr("expected a module after FuseAttention for the "
                                "exact order, found gemma.attention_scores"));
}

// 1 + 2^-24 is a tie that rounds to 1, so the order of a sum shows.
constexpr float kLost = 0x1p-24f;

TEST_P(ExactTest, LinearAddsInIncreasingK) {
  addFloats("w", "1x3, f32", {1, 1, 1});
  auto y = run(R"(
    %w = quantized.reference @w : !quantized.tensor<1x3, f32>
    %y = gemma.linear %x, %w : tensor<?x3xf32>, !quantized.tensor<1x3, f32> -> tensor<?x1xf32>)",
               {{1, kLost, kLost}, {kLost, kLost, 1}}, 1);
  EXPECT_THAT(y, ElementsAre(1.0f, 1 + 2 * kLost));
}

TEST_P(ExactTest, RmsNormSumsSixteenLanesAndATree) {
  addFloats("gain", "272, f32", std::vector<float>(272, 1));
  // 16 small squares behind a 1 in lane 0 are lost one by one; from lane 1 they
  // enter together.
  std::vector<float> lost(272, 0.0f), kept(272, 0.0f);
  lost[0] = kept[0] = 1;
  for (int i = 1; i <= 16; ++i) lost[16 * i] = 0x1p-12f;
  for (int i = 1; i <= 16; ++i) kept[16 * i - 15] = 0x1p-12f;
  auto y = run(R"(
    %g = quantized.reference @gain : !quantized.tensor<272, f32>
    %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-30 : f32, gain_offset = 0.0 : f32>} : tensor<?x272xf32>, !quantized.tensor<272, f32>)",
               {lost, kept}, 272);
  EXPECT_EQ(y[0], 1 / std::sqrt(1 / 272.0f));
  EXPECT_EQ(y[272], 1 / std::sqrt((1 + 16 * kLost) / 272.0f));
  EXPECT_NE(y[0], y[272]);
}

}  // namespace
}  // namespace gemmac::reference
