// SPDX-License-Identifier: Apache-2.0
// Matmul tiles and embedded rows of every format on every target that this
// machine runs, against the contract of docs/numerics.md computed one scalar at
// a time from decodePacked's twin, the checkpoint's codes. Bits must agree: on
// one target over tile shapes and rows, and between targets.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "test/support/reference/FloatOps.h"
#include "test/targets/cpu/KernelHarness.h"

using namespace gemmac;
using namespace gemmac::test;
using quantized::WeightFormat;

namespace {

struct Case {
  const WeightFormat *format;
  int64_t rows, columns;  // of the weight
};

struct Data {
  std::vector<uint8_t> source, packed;
  std::vector<float> in;       // [t, K]
  std::vector<uint8_t> codes;  // [t, quantized::ActivationLayout(K).rowBytes()]
};

// Random checkpoint bytes whose f16 scales are small normal or subnormal
// numbers, so that nothing overflows and subnormal products occur.
Data makeData(const Case &c, int64_t tokens, uint64_t seed) {
  Random random(seed);
  Data data;
  int64_t stride = c.format->sourceBytes(1, c.columns);
  data.source.resize(stride * c.rows);
  std::vector<float> values(c.columns);
  for (int64_t r = 0; r < c.rows; ++r) {
    uint8_t *row = &data.source[r * stride];
    bool extreme = r % 5 == 4;
    for (float &v : values) v = random.uniform() * (extreme ? 1e-6f : 0.1f);
    if (c.format->encode(values.data(), c.columns, row)) continue;
    for (int64_t i = 0; i < stride; ++i) row[i] = uint8_t(random.next() >> 32);
    int64_t block = c.format->blockBytes();
    for (int64_t at = 0; at < stride; at += block) {
      auto setHalf = [&](int64_t offset) {
        row[at + offset] = uint8_t(random.next() >> 33);
        row[at + offset + 1] = extreme ? 0x00 : 0x20 + (random.next() >> 60);
      };
      if (c.format->name() == "q6_k") {
        setHalf(block - 2);
      } else {
        setHalf(0);
        if (c.format->codes()->hasMinimum) setHalf(2);
      }
    }
  }
  int64_t blocks = (c.rows + 15) / 16;
  int64_t bytes = quantized::packedRowBlockBytes(*c.format, c.columns);
  data.packed.resize(blocks * bytes);
  for (int64_t b = 0; b < blocks; ++b)
    quantized::packRowBlock(*c.format, &data.source[b * 16 * stride], stride,
                            std::min<int64_t>(16, c.rows - 16 * b), c.columns,
                            &data.packed[b * bytes]);
  data.in.resize(tokens * c.columns);
  for (float &v : data.in) v = random.uniform() * 3;
  // A group of zeros and one of tiny numbers.
  for (int64_t k = 0; k < std::min<int64_t>(16, c.columns); ++k) data.in[k] = 0;
  return data;
}

// docs/numerics.md, points 1 and 2, one scalar at a time.
float referenceDot(const Case &c, const Data &data, int64_t t, int64_t n) {
  const float *x = &data.in[t * c.columns];
  int64_t stride = c.format->sourceBytes(1, c.columns);
  const uint8_t *source = &data.source[n * stride];
  float acc = 0;
  const auto *d = c.format->codes();
  if (!d) {
    std::vector<float> w(c.columns);
    c.format->decodeReference(source, c.columns, w.data());
    for (int64_t k = 0; k < c.columns; ++k) acc = std::fma(w[k], x[k], acc);
    return acc;
  }
  for (int64_t g = 0; g < c.columns / 32; ++g) {
    float top = 0;
    for (int64_t k = 0; k < 32; ++k)
      top = std::max(top, std::fabs(x[32 * g + k]));
    float a = top >= 0x1p-110f ? top / 127.0f : 0;
    float inverse = top >= 0x1p-110f ? 1.0f / a : 0;
    int32_t q[32], sum32 = 0;
    for (int64_t k = 0; k < 32; ++k) {
      q[k] = int32_t(std::nearbyintf(x[32 * g + k] * inverse));
      q[k] = std::min(127, std::max(-127, q[k]));
      sum32 += q[k];
    }
    quantized::CodeBlock block;
    int64_t super = 32 * g / d->superBlock, inside = 32 * g % d->superBlock;
    c.format->parse(source + super * c.format->blockBytes(), block);
    float scale = quantized::f16ToF32(block.scale);
    for (int64_t p = 0; p < 32 / int64_t(d->group); ++p) {
      int32_t sum = 0;
      for (int64_t k = 0; k < int64_t(d->group); ++k)
        sum +=
            (int32_t(block.codes[inside + p * d->group + k]) - d->zeroPoint) *
            q[p * d->group + k];
      float w = scale;
      if (d->scaleRule == quantized::ScaleRule::F16Times6)
        w *= float(block.subScales[inside / 32]);
      if (d->scaleRule == quantized::ScaleRule::F16TimesS8)
        w *= float(int8_t(block.subScales[inside / 16 + p]));
      acc = std::fma(float(sum), w * a, acc);
    }
    if (d->hasMinimum) {
      float m = quantized::f16ToF32(block.minimum);
      if (d->scaleRule == quantized::ScaleRule::F16Times6)
        m *= float(block.subMinimums[inside / 32]);
      acc = std::fma(-float(sum32), m * a, acc);
    }
  }
  return acc;
}

// The products, [t, N], or with `argMax` each row's largest and its column.
std::vector<float> compute(const Case &c, const Data &data, int64_t tokens,
                           int64_t chunk, int64_t rowBlocks,
                           const targets::Target &target, bool argMax = false) {
  auto s = [](int64_t v) { return std::to_string(v); };
  StepProgram program(tokens);
  int64_t pairs = kernel::matmulTiles(c.rows, rowBlocks);
  program.weight("w", c.rows, c.columns, *c.format, data.packed);
  program.floats("x", c.columns, data.in);
  program.floats("y", argMax ? 2 * pairs : c.rows);
  program.floats("z", 2);
  std::string in = "x";
  if (!c.format->isFloat()) {
    in = "q";
    program.bytes("q", quantized::ActivationLayout(c.columns).rowBytes());
    program.phase("%n", "kernel.quantize_row %x, %q[%t] : " +
                            program.type("x") + ", " + program.type("q"));
  }
  std::string shape = "chunk_rows = " + s(chunk) +
                      " : i64, row_blocks = " + s(rowBlocks) + " : i64";
  program.operation("%tiles = kernel.matmul_tiles %n {weight_rows = " +
                    s(c.rows) + " : i64, " + shape + "}");
  program.phase(
      "%tiles",
      "kernel.matmul_tile %w, %" + in + ", %y[%t] rows %n {" + shape +
          (argMax ? ", epilogue = #quantized.epilogue<arg_max>" : "") +
          "} : " + program.type("w") + ", " + program.type(in) + ", " +
          program.type("y"));
  if (argMax)
    program.phase("%n", "kernel.arg_max_row %y, %z[%t] : " + program.type("y") +
                            ", " + program.type("z"));
  EXPECT_EQ(program.run(target), "");
  return program.floatsOf(argMax ? "z" : "y");
}

std::vector<float> argMaxOf(const std::vector<float> &numbers,
                            int64_t columns) {
  reference::Tensor tensor({int64_t(numbers.size()) / columns, columns});
  tensor.values = numbers;
  return reference::argMax(tensor).values;
}

using FormatAndTarget = std::tuple<std::string, const targets::Target *>;

class MatmulTest : public testing::TestWithParam<FormatAndTarget> {};

TEST_P(MatmulTest, EqualsTheContractBitForBit) {
  const auto &[name, target] = GetParam();
  if (!target->runsHere()) GTEST_SKIP() << kCannotRun;
  const WeightFormat *format = quantized::lookupFormat(name);
  ASSERT_NE(format, nullptr);
  bool isFloat = format->isFloat();
  int64_t columns = isFloat ? 40 : 512;
  for (int64_t weightRows : {64, 43}) {
    Case c{format, weightRows, columns};
    for (int64_t tokens : {1, 7, 45}) {
      Data data = makeData(c, tokens, 11 * tokens + weightRows);
      for (auto [chunk, blocks] :
           {std::pair<int64_t, int64_t>{1, 1}, {8, 2}, {30, 1}}) {
        if (chunk == 1 && tokens != 1) continue;
        std::vector<float> out =
            compute(c, data, tokens, chunk, blocks, *target);
        ASSERT_EQ(out.size(), size_t(tokens * weightRows));
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t n = 0; n < weightRows; ++n) {
            float expected = referenceDot(c, data, t, n);
            float found = out[t * weightRows + n];
            ASSERT_EQ(std::memcmp(&expected, &found, 4), 0)
                << "chunk " << chunk << " row " << t << " of " << tokens
                << " output " << n << ": expected " << expected << ", found "
                << found;
          }
        if (weightRows % 16 == 0) continue;
        EXPECT_EQ(compute(c, data, tokens, chunk, blocks, *target, true),
                  argMaxOf(out, weightRows));
      }
    }
  }
}

// A gated pair whose tiles leave codes makes those of the pair and then
// quantize_row.
TEST_P(MatmulTest, LeavesTheCodesThatQuantizeRowMakes) {
  const auto &[name, target] = GetParam();
  if (!target->runsHere()) GTEST_SKIP() << kCannotRun;
  const WeightFormat *format = quantized::lookupFormat(name);
  ASSERT_NE(format, nullptr);
  Case c{format, 96, format->isFloat() ? 40 : 256};
  for (auto [tokens, blocks] : {std::pair<int64_t, int64_t>{1, 2}, {45, 4}}) {
    Data gate = makeData(c, tokens, tokens), up = makeData(c, tokens, 99);
    StepProgram program(tokens);
    program.weight("w", c.rows, c.columns, *format, gate.packed);
    program.weight("u", c.rows, c.columns, *format, up.packed);
    program.floats("x", c.columns, gate.in);
    program.floats("y", c.rows);
    program.bytes("expected", quantized::ActivationLayout(c.rows).rowBytes());
    program.bytes("found", quantized::ActivationLayout(c.rows).rowBytes());
    std::string in = "x";
    if (!format->isFloat()) {
      in = "q";
      program.bytes("q", quantized::ActivationLayout(c.columns).rowBytes());
      program.phase("%n", "kernel.quantize_row %x, %q[%t] : " +
                              program.type("x") + ", " + program.type("q"));
    }
    std::string shape = "chunk_rows = " + std::to_string(tokens == 1 ? 1 : 30) +
                        " : i64, row_blocks = " + std::to_string(blocks) +
                        " : i64";
    program.operation(
        "%tiles = kernel.matmul_tiles %n {weight_rows = 96 "
        ": i64, " +
        shape + "}");
    for (std::string out : {"y", "found"})
      program.phase("%tiles", "kernel.matmul_tile %w, %" + in + ", %" + out +
                                  "[%t] rows %n geglu %u {epilogue = "
                                  "#quantized.epilogue<geglu>, " +
                                  shape + "} : " + program.type("w") + ", " +
                                  program.type(in) + ", " + program.type(out) +
                                  " geglu " + program.type("u"));
    program.phase(
        "%n", "kernel.quantize_row %y, %expected[%t] : " + program.type("y") +
                  ", " + program.type("expected"));
    ASSERT_EQ(program.run(*target), "");
    EXPECT_EQ(program.bytesOf("found"), program.bytesOf("expected"))
        << tokens << " rows, row_blocks " << blocks;
  }
}

// Row t embeds token (5 t) mod N; the last one brings its own embedding.
TEST_P(MatmulTest, EmbedsRowsAsDecoded) {
  const auto &[name, target] = GetParam();
  if (!target->runsHere()) GTEST_SKIP() << kCannotRun;
  const WeightFormat *format = quantized::lookupFormat(name);
  ASSERT_NE(format, nullptr);
  constexpr int64_t kTokens = 12;
  Case c{format, 43, format->isFloat() ? 40 : 512};
  Data data = makeData(c, kTokens, 5);
  StepProgram program(kTokens);
  program.weight("w", c.rows, c.columns, *format, data.packed);
  program.floats("y", c.columns);
  program.phase("%n",
                "kernel.embed_row %step, %w, %y[%t] {scale = 2.53e+01 : "
                "f32} : " +
                    program.type("w") + ", " + program.type("y"));
  std::vector<float> expected;
  for (int64_t t = 0; t + 1 < kTokens; ++t) {
    program.rows[t].token = int32_t(5 * t % c.rows);
    std::vector<float> row(c.columns);
    format->decodeReference(
        &data.source[format->sourceBytes(program.rows[t].token, c.columns)],
        c.columns, row.data());
    for (float v : row) expected.push_back(v * 25.3f);
  }
  program.rows.back().embedding = data.in.data();
  expected.insert(expected.end(), data.in.begin(), data.in.begin() + c.columns);
  ASSERT_EQ(program.run(*target), "");
  EXPECT_EQ(firstDifference(expected, program.floatsOf("y")), "");
}

class ArgMaxTest : public testing::TestWithParam<const targets::Target *> {};

// Weights of one column and inputs of 1 and −1: the numbers are the weights.
TEST_P(ArgMaxTest, DecidesAsTheSamplerDoes) {
  if (!GetParam()->runsHere()) GTEST_SKIP() << kCannotRun;
  constexpr float kNan = NAN, kInf = INFINITY;
  auto check = [&](std::vector<float> numbers) {
    Case c{quantized::lookupFormat("f32"), int64_t(numbers.size()), 1};
    Data data;
    data.in = {1, -1, 1};
    int64_t blocks = (c.rows + 15) / 16;
    int64_t bytes = quantized::packedRowBlockBytes(*c.format, 1);
    data.packed.resize(blocks * bytes);
    auto *source = reinterpret_cast<const uint8_t *>(numbers.data());
    for (int64_t b = 0; b < blocks; ++b)
      quantized::packRowBlock(*c.format, source + b * 64, 4,
                              std::min<int64_t>(16, c.rows - 16 * b), 1,
                              &data.packed[b * bytes]);
    std::vector<float> all;
    for (float sign : data.in)
      for (float number : numbers) all.push_back(sign * number);
    std::vector<float> expected = argMaxOf(all, c.rows);
    for (auto [chunk, rowBlocks] :
         {std::pair<int64_t, int64_t>{2, 1}, {8, 2}, {8, 16}})
      EXPECT_EQ(compute(c, data, 3, chunk, rowBlocks, *GetParam(), true),
                expected)
          << c.rows << " numbers, chunk " << chunk;
  };
  std::vector<float> numbers(100, -8.0f);
  check(numbers);  // all equal; what pads the last block would be larger
  for (int64_t at : {97, 70, 53, 37, 36, 20, 5}) {
    numbers[at] = -2;  // equal ones in other lanes, blocks and tiles
    check(numbers);
  }
  numbers[41] = kInf;
  check(numbers);
  check({-0.0f, 0.0f, -1});
  check({kNan, 3, kNan, -kInf, 3});
  std::vector<float> none(40, kNan);
  check(none);
  none[33] = none[18] = -kInf;
  check(none);
  none[39] = -3e38f;
  check(none);
}

INSTANTIATE_TEST_SUITE_P(, ArgMaxTest, testing::ValuesIn(targets::allTargets()),
                         [](const auto &info) {
                           return targetTestName(*info.param);
                         });

INSTANTIATE_TEST_SUITE_P(
    , MatmulTest,
    testing::Combine(testing::Values("f32", "f16", "bf16", "q8_0", "q4_0",
                                     "q4_1", "q5_0", "q5_1", "q4_k", "q5_k",
                                     "q6_k"),
                     testing::ValuesIn(targets::allTargets())),
    [](const auto &info) {
      return std::get<0>(info.param) + "_on_" +
             targetTestName(*std::get<1>(info.param));
    });

}  // namespace
