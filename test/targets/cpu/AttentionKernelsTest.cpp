// SPDX-License-Identifier: Apache-2.0
// Attention and the KV cache on every target that this machine runs, by bits:
// the store against the layout in ModelAbi.h, attention in one tile and in
// shared blocks against ScalarKernels.h. Whatever a row does not see is NaN in
// its cache, so that nothing masked can leak.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "dialects/kernel/Kernel.h"
#include "test/support/reference/ScalarKernels.h"
#include "test/targets/cpu/KernelHarness.h"

using namespace gemmac;
using namespace gemmac::test;

namespace {

std::string number(int64_t value) { return std::to_string(value); }

// One session's cache, for one layer that has slots 1 … ringBlocks of its
// table (slot 0 belongs to another layer).
class Cache {
 public:
  Cache(int64_t kvHeads, int64_t width, int64_t ringBlocks, bool isF32)
      : kvHeads(kvHeads), width(width), ringBlocks(ringBlocks), isF32(isF32) {
    bytes.assign((1 + ringBlocks) * blockBytes(), 0xff);  // NaN in both formats
  }
  int64_t blockBytes() const {
    return 2 * kvHeads * GEMMA_KV_BLOCK * width * (isF32 ? 4 : 2);
  }
  std::string layers() const {
    auto layer = [&](int64_t slot, int64_t blocks) {
      return "<first_slot = " + number(slot) +
             ", ring_blocks = " + number(blocks) +
             ", window = 0, block_bytes = " + number(blockBytes()) + ">";
    };
    return ", layers = [" + layer(0, 1) + ", " + layer(1, ringBlocks) + "]";
  }
  void *const *table() {
    pointers.clear();
    for (int64_t slot = 0; slot <= ringBlocks; ++slot)
      pointers.push_back(&bytes[slot * blockBytes()]);
    return pointers.data();
  }
  // Stores one position's [K, E]; returns what the cache then holds of it.
  std::vector<float> storeKeys(int64_t position, const std::vector<float> &x) {
    return store(position, x, [&](int64_t head, int64_t p, int64_t e) {
      return (head * GEMMA_KV_BLOCK + p / 16 * 16) * width + e * 16 + p % 16;
    });
  }
  std::vector<float> storeValues(int64_t position,
                                 const std::vector<float> &x) {
    return store(position, x, [&](int64_t head, int64_t p, int64_t e) {
      return ((kvHeads + head) * GEMMA_KV_BLOCK + p) * width + e;
    });
  }
  const std::vector<uint8_t> &contents() const { return bytes; }

 private:
  template <typename Index>
  std::vector<float> store(int64_t position, const std::vector<float> &x,
                           Index index) {
    uint8_t *block =
        &bytes[(1 + position / GEMMA_KV_BLOCK % ringBlocks) * blockBytes()];
    std::vector<float> held = x;
    for (int64_t head = 0; head < kvHeads; ++head)
      for (int64_t e = 0; e < width; ++e) {
        int64_t at = index(head, position % GEMMA_KV_BLOCK, e);
        float &v = held[head * width + e];
        if (isF32) {
          std::memcpy(block + 4 * at, &v, 4);
        } else {
          uint16_t narrow = quantized::f32ToBf16(v);
          std::memcpy(block + 2 * at, &narrow, 2);
          v = quantized::bf16ToF32(narrow);
        }
      }
    return held;
  }

  int64_t kvHeads, width, ringBlocks;
  bool isF32;
  std::vector<uint8_t> bytes;
  std::vector<void *> pointers;
};

std::vector<float> randomFloats(int64_t count, Random &random, float scale) {
  std::vector<float> values(count);
  for (float &v : values) v = scale * random.uniform();
  return values;
}

class AttentionKernelsTest
    : public testing::TestWithParam<const targets::Target *> {
 protected:
  void SetUp() override {
    if (!GetParam()->runsHere()) GTEST_SKIP() << kCannotRun;
  }
};

// Rows on both sides of a lane, a block and the ring's end; numbers whose
// rounding to bf16 is a tie, carries or overflows.
TEST_P(AttentionKernelsTest, StoresKeysAndValues) {
  const int32_t positions[] = {0, 1, 15, 16, 127, 128, 255, 256, 517};
  constexpr int64_t kCount = std::size(positions);
  for (bool isF32 : {true, false})
    for (auto [kvHeads, width] :
         {std::pair<int64_t, int64_t>{1, 16}, {2, 24}, {3, 32}}) {
      SCOPED_TRACE(testing::Message()
                   << (isF32 ? "f32 " : "bf16 ") << kvHeads << " x " << width);
      Random random(kvHeads);
      int64_t columns = kvHeads * width;
      std::vector<float> keys = randomFloats(kCount * columns, random, 9);
      std::vector<float> values = randomFloats(kCount * columns, random, 9);
      const float special[] = {0x1.01p0f,   0x1.03p0f, -0x1.018p0f, 0x1.fffp0f,
                               0x1.ffp127f, -0.0f,     0x1p-140f,   INFINITY,
                               -INFINITY,   NAN,       0x1.8p-149f, 3e38f};
      std::copy(std::begin(special), std::end(special), keys.begin());
      std::copy(std::begin(special), std::end(special), values.begin() + 3);

      Cache expected(kvHeads, width, 3, isF32), found = expected;
      StepProgram program(kCount);
      program.kvLayers = found.layers();
      for (int64_t r = 0; r < kCount; ++r) {
        program.rows[r].position = positions[r];
        program.rows[r].kv = found.table();
        auto row = [&](const std::vector<float> &all) {
          return std::vector<float>(all.begin() + r * columns,
                                    all.begin() + (r + 1) * columns);
        };
        expected.storeKeys(positions[r], row(keys));
        expected.storeValues(positions[r], row(values));
      }
      program.floats("k", columns, keys);
      program.floats("v", columns, values);
      program.operation("%cache = arith.constant 1 : index");
      program.phase(
          "%n",
          "kernel.kv_store_row %step, %k, %v[%t] cache %cache {head_dim "
          "= " +
              number(width) + " : i64, kv_format = #kernel.kv_format<" +
              (isF32 ? "f32" : "bf16") + ">} : " + program.type("k") + ", " +
              program.type("v"));
      ASSERT_EQ(program.run(*GetParam()), "");
      EXPECT_TRUE(found.contents() == expected.contents());
    }
}

struct Shape {
  int64_t heads, kvHeads, width, window;
  bool isF32;
  float softcap;
  float spread;  // of the queries: how far apart the scores are
};

// One row of a call with a session of its own, and what it must give.
struct Row {
  int32_t position, visibleEnd;
  std::vector<std::vector<float>> keys, values;  // [position][K·E], as held
};

constexpr int64_t kMaxBlocks = 4;
constexpr float kScale = 0.25f;

int64_t firstVisible(const Shape &shape, const Row &row) {
  if (!shape.window) return 0;
  return std::max<int64_t>(0, row.position - shape.window + 1);
}

scalar::Attention scalarAttention(const Shape &shape, const Row &row,
                                  int64_t head) {
  int64_t at = head / (shape.heads / shape.kvHeads) * shape.width;
  return {shape.width, kScale, shape.softcap,
          [&row, at](int64_t p) { return &row.keys[p][at]; },
          [&row, at](int64_t p) { return &row.values[p][at]; }};
}

// The textbook's softmax in double: judges the scalar kernel itself.
std::vector<double> attendInDouble(const Shape &shape,
                                   const scalar::Attention &a,
                                   const float *query, int64_t begin,
                                   int64_t end) {
  std::vector<double> scores, result(a.width);
  double max = -INFINITY, sum = 0;
  for (int64_t p = begin; p < end; ++p) {
    double dot = 0;
    for (int64_t e = 0; e < a.width; ++e) dot += double(query[e]) * a.key(p)[e];
    dot *= kScale;
    if (shape.softcap != 0)
      dot = std::tanh(dot / shape.softcap) * shape.softcap;
    scores.push_back(dot);
    max = std::max(max, dot);
  }
  for (int64_t p = begin; p < end; ++p) {
    double weight = std::exp(scores[p - begin] - max);
    sum += weight;
    for (int64_t e = 0; e < a.width; ++e) result[e] += weight * a.value(p)[e];
  }
  for (double &v : result) v /= sum;
  return result;
}

// 1, 127, 128, 129 and 300 keys, a place within a block, and two rows that see
// further than they stand.
std::vector<Row> makeRows() {
  std::vector<Row> rows;
  for (int32_t keys : {1, 17, 127, 128, 129, 300})
    rows.push_back({keys - 1, keys - 1, {}, {}});
  rows.push_back({120, 140, {}, {}});
  rows.push_back({256, 271, {}, {}});
  return rows;
}

// Fills a session with what the row sees; the rest stays NaN.
Cache fillCache(const Shape &shape, Row &row, Random &random) {
  Cache cache(shape.kvHeads, shape.width, shape.window ? 3 : kMaxBlocks,
              shape.isF32);
  int64_t columns = shape.kvHeads * shape.width;
  row.keys.resize(row.visibleEnd + 1);
  row.values.resize(row.visibleEnd + 1);
  for (int64_t p = firstVisible(shape, row); p <= row.visibleEnd; ++p) {
    row.keys[p] = cache.storeKeys(p, randomFloats(columns, random, 2));
    row.values[p] = cache.storeValues(p, randomFloats(columns, random, 3));
  }
  return cache;
}

// Both ways to the same result: %out by whole tiles, %folded by blocks.
void addAttention(StepProgram &program, const Shape &shape,
                  const std::vector<float> &queries) {
  int64_t columns = shape.heads * shape.width;
  int64_t state = shape.width + kernel::kAttentionStateFloats;
  program.floats("q", columns, queries);
  program.floats("out", columns);
  program.floats("folded", columns);
  program.floats("parts", shape.heads * kMaxBlocks * state);
  char floats[80];
  std::snprintf(floats, sizeof floats, "scale = %e : f32, softcap = %e : f32",
                kScale, shape.softcap);
  std::string window = "window = " + number(shape.window) + " : i64";
  std::string head = "head_dim = " + number(shape.width) + " : i64, ";
  std::string most = "max_blocks = " + number(kMaxBlocks) + " : i64, ";
  std::string all = head + "kv_heads = " + number(shape.kvHeads) + " : i64, " +
                    floats + ", " + window +
                    ", kv_format = #kernel.kv_format<" +
                    (shape.isF32 ? "f32" : "bf16") + ">";
  std::string q = program.type("q"), parts = program.type("parts");
  program.operation("%cache = arith.constant 1 : index");
  program.operation("%heads = arith.constant " + number(shape.kvHeads) +
                    " : index");
  program.operation("%pairs = arith.muli %n, %heads : index");
  program.phase("%pairs",
                "kernel.attention_tile %step, %q, %out[%t] cache "
                "%cache {" +
                    all + "} : " + q + ", " + q);
  program.operation("%most = kernel.attention_blocks %step {" + window + "}");
  program.operation("%tiles = arith.muli %pairs, %most : index");
  program.phase("%tiles",
                "kernel.attention_block %step, %q, %parts[%t of "
                "%most] cache %cache {" +
                    most + all + "} : " + q + ", " + parts);
  program.phase("%n", "kernel.attention_fold_row %step, %parts, %folded[%t] {" +
                          head + most + window + "} : " + parts + ", " + q);
}

TEST_P(AttentionKernelsTest, AttendsBitForBit) {
  const Shape shapes[] = {
      {1, 1, 16, 0, true, 0, 1},   {4, 1, 32, 0, false, 0, 4},
      {4, 2, 24, 0, true, 0, 1},   {6, 1, 16, 0, true, 0, 20},
      {5, 5, 40, 0, false, 30, 8}, {8, 1, 24, 0, false, 0, 1},
      {2, 1, 16, 1, true, 0, 1},   {2, 1, 16, 5, false, 0, 1},
      {4, 2, 16, 128, true, 0, 3}, {6, 3, 24, 200, false, 50, 20},
  };
  for (const Shape &shape : shapes) {
    SCOPED_TRACE(testing::Message()
                 << shape.heads << " x " << shape.kvHeads << " x "
                 << shape.width << ", window " << shape.window
                 << (shape.isF32 ? ", f32" : ", bf16"));
    Random random(shape.heads * 100 + shape.width);
    std::vector<Row> rows = makeRows();
    std::vector<Cache> caches;
    for (Row &row : rows) caches.push_back(fillCache(shape, row, random));
    StepProgram program{int64_t(rows.size())};
    program.kvLayers = caches[0].layers();
    for (size_t r = 0; r < rows.size(); ++r) {
      program.rows[r].position = rows[r].position;
      program.rows[r].visible_end = rows[r].visibleEnd;
      program.rows[r].kv = caches[r].table();
    }
    int64_t columns = shape.heads * shape.width;
    std::vector<float> queries =
        randomFloats(rows.size() * columns, random, shape.spread);
    addAttention(program, shape, queries);
    ASSERT_EQ(program.run(*GetParam()), "");

    std::vector<float> expected;
    for (size_t r = 0; r < rows.size(); ++r)
      for (int64_t h = 0; h < shape.heads; ++h) {
        scalar::Attention a = scalarAttention(shape, rows[r], h);
        const float *query = &queries[r * columns + h * shape.width];
        int64_t begin = firstVisible(shape, rows[r]);
        int64_t end = rows[r].visibleEnd + 1;
        std::vector<float> one = scalar::attend(a, query, begin, end);
        std::vector<double> exact = attendInDouble(shape, a, query, begin, end);
        // Values are below 3; a score of 20 errs by 1e-6, and a weight by as
        // much of itself.
        for (int64_t e = 0; e < shape.width; ++e)
          ASSERT_NEAR(one[e], exact[e], 3e-5) << "row " << r << ", head " << h;
        expected.insert(expected.end(), one.begin(), one.end());
      }
    EXPECT_EQ(firstDifference(expected, program.floatsOf("out")), "");
    EXPECT_EQ(firstDifference(expected, program.floatsOf("folded")), "");
  }
}

// The same three blocks folded from the right have other bits: the test above
// sees the order.
TEST(ScalarKernelsTest, TheOrderOfFoldsShows) {
  Shape shape{1, 1, 32, 0, true, 0, 1};
  Row row{299, 299, {}, {}};
  Random random(3);
  fillCache(shape, row, random);
  std::vector<float> query = randomFloats(shape.width, random, 1);
  scalar::Attention a = scalarAttention(shape, row, 0);
  auto block = [&](int64_t start) {
    return scalar::attendBlock(a, query.data(), start, 0, 300);
  };
  scalar::AttentionState right =
      scalar::fold(block(0), scalar::fold(block(128), block(256)));
  for (float &v : right.acc) v /= right.sum;
  EXPECT_NE(firstDifference(scalar::attend(a, query.data(), 0, 300), right.acc),
            "");
}

INSTANTIATE_TEST_SUITE_P(, AttentionKernelsTest,
                         testing::ValuesIn(targets::allTargets()),
                         [](const auto &info) {
                           return targetTestName(*info.param);
                         });

}  // namespace
