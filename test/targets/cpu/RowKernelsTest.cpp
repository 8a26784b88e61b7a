// SPDX-License-Identifier: Apache-2.0
// Row kernels on every target that this machine runs, against ScalarKernels.h
// by bits: widths with and without a tail of lanes; rows of random numbers,
// zeros of both signs, subnormal and huge numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "dialects/kernel/Kernel.h"
#include "test/support/reference/ScalarKernels.h"
#include "test/targets/cpu/KernelHarness.h"

using namespace gemmac;
using namespace gemmac::test;

namespace {

const int64_t kWidths[] = {1, 15, 16, 17, 40, 96};
constexpr int64_t kRows = 6;

// kRows rows: random, zeros, subnormal, huge, tiny but for one, and a mixture
// of everything. Sums of squares of `huge` reach infinity from 2e19 on.
std::vector<float> extremeRows(int64_t columns, uint64_t seed,
                               float huge = 3e38f) {
  Random random(seed);
  std::vector<float> values;
  auto row = [&](auto value) {
    for (int64_t i = 0; i < columns; ++i) values.push_back(value(i));
  };
  row([&](int64_t) { return 4 * random.uniform(); });
  row([&](int64_t i) { return i % 2 ? 0.0f : -0.0f; });
  row([&](int64_t) { return 0x1p-130f * random.uniform(); });
  row([&](int64_t) { return huge * random.uniform(); });
  row([&](int64_t i) { return i == 3 ? 7.0f : 1e-30f * random.uniform(); });
  row([&](int64_t) {
    const float scales[] = {0.0f, 1e-45f, 1e-38f, 1e-10f, 1.0f, 100.0f, 1e10f};
    return scales[random.next() % 7] * random.uniform();
  });
  return values;
}

std::vector<float> randomFloats(int64_t count, uint64_t seed, float scale = 1) {
  Random random(seed);
  std::vector<float> values(count);
  for (float &v : values) v = scale * random.uniform();
  return values;
}

std::vector<float> slice(const std::vector<float> &values, int64_t from,
                         int64_t count) {
  return {values.begin() + from, values.begin() + from + count};
}

void append(std::vector<float> &to, const std::vector<float> &values) {
  to.insert(to.end(), values.begin(), values.end());
}

std::string number(int64_t value) { return std::to_string(value); }

class RowKernelsTest : public testing::TestWithParam<const targets::Target *> {
 protected:
  void SetUp() override {
    if (!GetParam()->runsHere()) GTEST_SKIP() << kCannotRun;
  }
  // Runs the program and compares each buffer with its expected floats.
  void check(StepProgram &program,
             const std::map<std::string, std::vector<float>> &expected) {
    std::string error = program.run(*GetParam());
    ASSERT_EQ(error, "");
    for (const auto &[name, values] : expected)
      EXPECT_EQ(firstDifference(values, program.floatsOf(name)), "") << name;
  }
};

TEST_P(RowKernelsTest, RmsNorm) {
  struct Case {
    int64_t segments, width;
    float eps, gainOffset;
  };
  StepProgram program(kRows);
  std::map<std::string, std::vector<float>> expected;
  int index = 0;
  for (Case c : {Case{1, 1, 1e-6f, 1},
                 {1, 15, 1e-6f, 0},
                 {1, 16, 1e-6f, 1},
                 {1, 17, 1e-5f, 1},
                 {1, 42, 1e-6f, 0},
                 {3, 24, 1e-6f, 1},
                 {4, 16, 1e-6f, 1},
                 {1, 640, 1e-6f, 1}}) {
    std::string k = number(index++);
    int64_t columns = c.segments * c.width;
    // Up to where one square overflows, and past it.
    std::vector<float> in =
        extremeRows(columns, index, index % 2 ? 1e18f : 3e38f);
    std::vector<float> gain = randomFloats(c.width, 100 + index);
    gain[0] = -0.0f;
    program.floats("x" + k, columns, in);
    program.floats("y" + k, columns);
    program.gain("g" + k, gain);
    char attributes[128];
    std::snprintf(
        attributes, sizeof attributes,
        "{norm = #quantized.norm<eps = %.9e : f32, gain_offset = %.9e "
        ": f32>}",
        c.eps, c.gainOffset);
    program.phase(
        "%n", "kernel.rms_norm_row %x" + k + ", %g" + k + ", %y" + k + "[%t] " +
                  attributes + " : " + program.type("x" + k) + ", " +
                  program.type("g" + k) + ", " + program.type("y" + k));
    std::vector<float> &out = expected["y" + k];
    for (int64_t at = 0; at < kRows * columns; at += c.width)
      append(out, scalar::rmsNorm(slice(in, at, c.width), gain, c.eps,
                                  c.gainOffset));
  }
  check(program, expected);
}

// Elementwise operations of one or two inputs.
TEST_P(RowKernelsTest, Maps) {
  StepProgram program(kRows);
  std::map<std::string, std::vector<float>> expected;
  for (int64_t width : kWidths) {
    std::string w = number(width);
    std::vector<float> a = extremeRows(width, width);
    std::vector<float> b = extremeRows(width, width + 1);
    // Another kind of row meets each.
    std::rotate(b.begin(), b.begin() + width, b.end());
    program.floats("a" + w, width, a);
    program.floats("b" + w, width, b);
    auto map = [&](const std::string &name, const std::string &operation,
                   const std::string &inputs, const std::string &attributes,
                   const std::string &types, auto scalarMap) {
      std::string out = name + w, type = program.type("a" + w);
      program.floats(out, width);
      program.phase("%n", "kernel." + operation + " " + inputs + ", %" + out +
                              "[%t] " + attributes + " : " + type + types);
      for (int64_t i = 0; i < kRows * width; ++i)
        expected[out].push_back(scalarMap(a[i], b[i]));
    };
    std::string both = "%a" + w + ", %b" + w;
    map("add", "add_row", both, "", "", [](float x, float y) { return x + y; });
    map("geglu", "geglu_row", both, "", "", scalar::geglu);
    map("cap", "softcap_row", "%a" + w, "{cap = 3.0e+01 : f32}",
        ", " + program.type("a" + w),
        [](float x, float) { return scalar::softcap(x, 30.0f); });
  }
  check(program, expected);
}

// tanh has two formulas that meet at 0.75, and what no formula gives.
TEST_P(RowKernelsTest, SoftcapAtItsSeamAndSpecials) {
  std::vector<float> in = {INFINITY, NAN, 0.0f, 0x1p-149f, 87.0f, 88.5f, 3e38f};
  float seam = 0.75f;
  for (int i = 0; i < 4; ++i) in.push_back(seam = std::nextafter(seam, 0.0f));
  for (int i = 0; i < 5; ++i) in.push_back(0.75f + float(i) * 0x1p-24f);
  for (size_t i = 0, n = in.size(); i < n; ++i) in.push_back(-in[i]);
  StepProgram program(1);
  program.floats("x", int64_t(in.size()), in);
  program.floats("y", int64_t(in.size()));
  program.phase("%n", "kernel.softcap_row %x, %y[%t] {cap = 1.0 : f32} : " +
                          program.type("x") + ", " + program.type("y"));
  std::vector<float> expected;
  for (float x : in) expected.push_back(scalar::softcap(x, 1));
  check(program, {{"y", expected}});
}

// A copy's rows are two numbers: here each row goes to the next one.
TEST_P(RowKernelsTest, Copy) {
  StepProgram program(kRows);
  std::map<std::string, std::vector<float>> expected;
  program.operation("%one = arith.constant 1 : index");
  program.operation("%less = arith.subi %n, %one : index");
  for (int64_t width : kWidths) {
    std::string w = number(width);
    std::vector<float> in = extremeRows(width, width);
    program.floats("x" + w, width, in);
    program.floats("y" + w, width);
    program.phase("%less",
                  "%next = arith.addi %t, %one : index\n"
                  "kernel.copy_row %x" +
                      w + "[%t], %y" + w + "[%next] : " +
                      program.type("x" + w) + ", " + program.type("y" + w));
    std::vector<float> &out = expected["y" + w];
    out.assign(width, NAN);
    append(out, slice(in, 0, (kRows - 1) * width));
  }
  check(program, expected);
}

TEST_P(RowKernelsTest, Rope) {
  StepProgram program(kRows);
  std::map<std::string, std::vector<float>> expected;
  for (int64_t width : {2, 16, 24, 34, 64}) {
    std::string w = number(width);
    int64_t columns = 3 * width;
    std::vector<float> in = extremeRows(columns, width, 1e38f);
    std::vector<float> angles = randomFloats(kRows * width, width + 7);
    angles[0] = 1, angles[width / 2] = 0;
    program.floats("x" + w, columns, in);
    program.floats("a" + w, width, angles);
    program.floats("y" + w, columns);
    program.phase("%n", "kernel.rope_row %x" + w + ", %a" + w + ", %y" + w +
                            "[%t] : " + program.type("x" + w) + ", " +
                            program.type("a" + w) + ", " +
                            program.type("y" + w));
    for (int64_t at = 0; at < kRows * columns; at += width)
      append(expected["y" + w],
             scalar::rope(slice(in, at, width),
                          slice(angles, at / columns * width, width)));
  }
  check(program, expected);
}

TEST_P(RowKernelsTest, RopeAngles) {
  const int32_t positions[] = {0, 1, 2, 127, 32767, 131071, 1048575};
  StepProgram program(std::size(positions));
  for (size_t r = 0; r < std::size(positions); ++r)
    program.rows[r].position = positions[r];
  std::map<std::string, std::vector<float>> expected;
  for (auto [width, factor] :
       {std::pair<int64_t, double>{2, 1}, {16, 8}, {24, 1}, {256, 8}}) {
    std::string w = number(width);
    program.floats("y" + w, width);
    program.phase(
        "%n", "kernel.rope_angles_row %step, %y" + w +
                  "[%t] {theta = 1.0e+04 : f64, factor = " + number(factor) +
                  ".0 : f64} : " + program.type("y" + w));
    for (int32_t position : positions) {
      std::vector<float> angles =
          scalar::ropeAngles(position, width, 1e4, factor);
      append(expected["y" + w], angles);
      // The scalar itself: exact functions of the rounded angle.
      for (int64_t i = 0; i < width / 2; ++i) {
        float frequency = float(std::pow(1e4, -2.0 * i / width) / factor);
        double angle = float(position) * frequency;
        EXPECT_EQ(angles[i], float(std::cos(angle)));
        EXPECT_EQ(angles[width / 2 + i], float(std::sin(angle)));
      }
    }
  }
  check(program, expected);
}

// Rows of activations around every edge: 2^-110, halves, both signs of zero.
std::vector<float> activations(int64_t columns) {
  std::vector<float> values = extremeRows(columns, columns);
  auto row = [&](auto value) {
    for (int64_t i = 0; i < columns; ++i) values.push_back(value(i));
  };
  row([](int64_t i) { return i % 32 == 5 ? 0x1p-110f : 0x1p-111f; });
  row([](int64_t i) { return i % 32 == 5 ? 0x1.fffffep-111f : 0x1p-112f; });
  row([](int64_t i) { return i % 32 ? 0.5f + float(i % 32) : -127.0f; });
  row([](int64_t i) { return i % 32 == 9 ? -3e38f : 1e38f; });
  return values;
}

TEST_P(RowKernelsTest, Quantize) {
  for (int64_t columns : {32, 96, 640}) {
    std::vector<float> in = activations(columns);
    int64_t count = int64_t(in.size()) / columns;
    StepProgram program(count);
    program.floats("x", columns, in);
    program.bytes("q", quantized::ActivationLayout(columns).rowBytes());
    program.phase("%n", "kernel.quantize_row %x, %q[%t] : " +
                            program.type("x") + ", " + program.type("q"));
    std::string error = program.run(*GetParam());
    ASSERT_EQ(error, "");
    std::vector<uint8_t> bytes = program.bytesOf("q");
    for (int64_t r = 0; r < count; ++r)
      for (int64_t g = 0; g < columns / 32; ++g) {
        SCOPED_TRACE(testing::Message() << "row " << r << ", group " << g);
        const uint8_t *row =
            &bytes[r * quantized::ActivationLayout(columns).rowBytes()];
        scalar::Codes expected = scalar::quantize(&in[r * columns + g * 32]);
        int32_t sums[2] = {};
        for (int64_t i = 0; i < 32; ++i) {
          ASSERT_EQ(int8_t(row[g * 32 + i]), expected.codes[i]) << i;
          sums[i / 16] += expected.codes[i];
        }
        float scale;
        std::memcpy(&scale,
                    row + quantized::ActivationLayout(columns).scales() + 4 * g,
                    4);
        EXPECT_EQ(firstDifference({expected.scale}, {scale}), "");
        int32_t found[3];
        std::memcpy(found,
                    row + quantized::ActivationLayout(columns).sums16() + 8 * g,
                    8);
        std::memcpy(found + 2,
                    row + quantized::ActivationLayout(columns).sums32() + 4 * g,
                    4);
        EXPECT_EQ(found[0], sums[0]);
        EXPECT_EQ(found[1], sums[1]);
        EXPECT_EQ(found[2], sums[0] + sums[1]);
      }
  }
}

INSTANTIATE_TEST_SUITE_P(, RowKernelsTest,
                         testing::ValuesIn(targets::allTargets()),
                         [](const auto &info) {
                           return targetTestName(*info.param);
                         });

}  // namespace
