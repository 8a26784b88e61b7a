// Matmul tiles of every format on every target that this machine runs, against
// the contract of docs/numerics.md computed one scalar at a time from
// decodePacked's twin, the checkpoint's codes. Bits must agree: on one target
// over tile shapes and rows, and between targets.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "test/targets/KernelHarness.h"

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
  std::vector<uint8_t> codes;  // [t, activationRowBytes(K)]
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

std::string moduleText(const Case &c, int64_t tokens, int64_t chunk,
                       int64_t rowBlocks) {
  auto s = [](int64_t v) { return std::to_string(v); };
  bool isFloat = c.format->isFloat();
  std::string tensor = "!quantized.tensor<" + s(c.rows) + "x" + s(c.columns) +
                       ", " + c.format->name().str() + ">";
  int64_t width = isFloat ? c.columns : kernel::activationRowBytes(c.columns);
  std::string in = "memref<?x" + s(width) + (isFloat ? "xf32>" : "xi8>");
  std::string out = "memref<?x" + s(c.rows) + "xf32>";
  std::string values = "memref<?x" + s(c.columns) + "xf32>";
  // The arena: values [t, K], then codes.
  int64_t codesAt = (tokens * c.columns * 4 + 63) / 64 * 64;
  std::string header = "quantized.weight @w : " + tensor +
                       " {file = 0 : i64, offset = 0 : i64, source_bytes = " +
                       s(c.format->sourceBytes(c.rows, c.columns)) +
                       " : i64, source_format = \"" + c.format->name().str() +
                       "\", packed_offset = 0 : i64}\n";
  std::string body =
      "%n = kernel.row_count %step\n%w = quantized.reference @w : " + tensor +
      "\n%x = kernel.arena %step at 0 : " + values +
      "\n%y = kernel.logits %step : " + out + "\n";
  std::string operand = "%x";
  if (!isFloat) {
    operand = "%q";
    body += "%q = kernel.arena %step at " + s(codesAt) + " : " + in +
            "\nkernel.phase %step tiles(%n) {\n^bb0(%t: index):\n"
            "kernel.quantize_row %x, %q[%t] : " +
            values + ", " + in + "\n}\n";
  }
  std::string shape = "chunk_rows = " + s(chunk) +
                      " : i64, row_blocks = " + s(rowBlocks) + " : i64";
  body += "%tiles = kernel.matmul_tiles %n {weight_rows = " + s(c.rows) +
          " : i64, " + shape +
          "}\nkernel.phase %step tiles(%tiles) {\n"
          "^bb0(%t: index):\nkernel.matmul_tile %w, " +
          operand + ", %y[%t] rows %n {" + shape + "} : " + tensor + ", " + in +
          ", " + out + "\n}\n";
  return stepModule(header, body);
}

std::vector<float> compute(const Case &c, const Data &data, int64_t tokens,
                           int64_t chunk, int64_t rowBlocks,
                           const targets::Target &target) {
  CompiledKernels kernels;
  std::string error;
  const gemma_model_code *code =
      kernels.compile(moduleText(c, tokens, chunk, rowBlocks), target, error);
  EXPECT_NE(code, nullptr) << error;
  if (!code) return {};
  int64_t codesAt = (tokens * c.columns * 4 + 63) / 64 * 64;
  int64_t bytes =
      codesAt + tokens * kernel::activationRowBytes((c.columns + 31) / 32 * 32);
  std::vector<uint8_t> arena(bytes + 64);
  std::memcpy(arena.data(), data.in.data(), data.in.size() * 4);
  std::vector<gemma_row> rows(tokens);
  std::vector<float> out(tokens * c.rows, NAN);
  gemma_step step{};
  step.rows = rows.data();
  step.count = tokens;
  step.weights = data.packed.data();
  step.arena = arena.data();
  step.logits = out.data();
  kernels.run(code->decode, step);
  return out;
}

class MatmulTest : public testing::TestWithParam<std::string> {};

TEST_P(MatmulTest, EqualsTheContractBitForBit) {
  const WeightFormat *format = quantized::lookupFormat(GetParam());
  ASSERT_NE(format, nullptr);
  bool isFloat = format->isFloat();
  int64_t columns = isFloat ? 40 : 512;
  for (int64_t weightRows : {64, 43}) {
    Case c{format, weightRows, columns};
    for (int64_t tokens : {1, 7, 13}) {
      Data data = makeData(c, tokens, 11 * tokens + weightRows);
      for (const targets::Target *target : runnableTargets())
        for (auto [chunk, blocks] :
             {std::pair<int64_t, int64_t>{1, 1}, {8, 2}, {128, 1}}) {
          if (chunk == 1 && tokens != 1) continue;
          std::vector<float> out =
              compute(c, data, tokens, chunk, blocks, *target);
          ASSERT_EQ(out.size(), size_t(tokens * weightRows));
          for (int64_t t = 0; t < tokens; ++t)
            for (int64_t n = 0; n < weightRows; ++n) {
              float expected = referenceDot(c, data, t, n);
              float found = out[t * weightRows + n];
              ASSERT_EQ(std::memcmp(&expected, &found, 4), 0)
                  << target->name().str() << " chunk " << chunk << " row " << t
                  << " of " << tokens << " output " << n << ": expected "
                  << expected << ", found " << found;
            }
        }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, MatmulTest,
                         testing::Values("f32", "f16", "bf16", "q8_0", "q4_0",
                                         "q4_1", "q5_0", "q5_1", "q4_k", "q5_k",
                                         "q6_k"),
                         [](const auto &info) { return info.param; });

}  // namespace
