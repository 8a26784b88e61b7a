// SPDX-License-Identifier: Apache-2.0
// WeightStream: every format from a checkpoint's bytes through the file and
// back by decodePacked, against decodeReference; and what must be refused.
#include "compiler/packaging/WeightStream.h"

#include <cmath>
#include <cstring>

#include <xxhash.h>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/PackedLayout.h"
#include "dialects/quantized/Quantized.h"
#include "gtest/gtest.h"
#include "mlir/Parser/Parser.h"
#include "test/support/Folder.h"

namespace gemmac::packaging {
namespace {

using quantized::WeightFormat;
using test::Folder;

// Checkpoint bytes that decode to finite values, in any format: random bits,
// with the exponents of all 16-bit (and for f32, 32-bit) floats cut. Formats
// that can be made are made from values instead.
std::vector<uint8_t> randomSource(const WeightFormat &format, int64_t rows,
                                  int64_t columns, uint32_t seed) {
  std::vector<uint8_t> bytes(size_t(format.sourceBytes(rows, columns)));
  std::vector<float> values(static_cast<size_t>(columns));
  size_t stride = bytes.size() / size_t(rows);
  for (int64_t row = 0; row < rows; ++row) {
    auto next = [&] { return seed = seed * 1664525u + 1013904223u; };
    for (float &value : values)
      value = (int32_t(next() >> 8) - (1 << 23)) * 0x1p-22f;
    uint8_t *to = bytes.data() + size_t(row) * stride;
    if (format.encode(values.data(), columns, to)) continue;
    // Clearing bit 6 of every byte keeps the exponent of each f16 below 31.
    for (size_t i = 0; i < stride; ++i) to[i] = uint8_t(next() >> 24) & 0xBF;
  }
  return bytes;
}

struct Sample {
  std::string source, format;
  int64_t rows, columns;
};

class WeightStream : public testing::Test {
 protected:
  WeightStream() {
    context.loadDialect<quantized::QuantizedDialect, kernel::KernelDialect>();
  }

  // A module with one weight in a file of its own, 8 bytes into it.
  std::string weightText(const Sample &sample, const std::string &name,
                         int file, int64_t packedOffset) {
    const WeightFormat *source = quantized::lookupFormat(sample.source);
    bool isVector = sample.rows == 0;
    int64_t rows = isVector ? 1 : sample.rows;
    std::string shape = isVector ? "" : std::to_string(sample.rows) + "x";
    return "quantized.weight @" + name + " : !quantized.tensor<" + shape +
           std::to_string(sample.columns) + ", " + sample.format +
           "> from [#quantized.source<file = " + std::to_string(file) +
           ", offset = 8, bytes = " +
           std::to_string(source->sourceBytes(rows, sample.columns)) +
           ", format = \"" + sample.source +
           "\">] {layout = #quantized.layout<" +
           (isVector ? "dense" : "rows_in_lanes") +
           ">, packed_offset = " + std::to_string(packedOffset) + " : i64}\n";
  }

  llvm::Expected<WeightPlan> plan(const std::vector<std::string> &sources,
                                  const std::string &body) {
    std::string text = "module attributes {gemma.sources = [";
    for (size_t i = 0; i < sources.size(); ++i)
      text += (i ? ", \"" : "\"") + sources[i] + "\"";
    text += "]} {\n" + body + "}\n";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(bool(module)) << text;
    return planWeights(*module);
  }

  std::string writeSource(const std::string &name,
                          const std::vector<uint8_t> &bytes) {
    std::vector<uint8_t> file(8, 0xEE);
    file.insert(file.end(), bytes.begin(), bytes.end());
    test::writeBytes(folder.file(name), file);
    return folder.file(name);
  }

  // Streams to "out" at 4096; the error's text, or "".
  std::string stream(const WeightPlan &plan, unsigned threads = 3) {
    auto file = output::AtomicFile::create(folder.file("out"), 0644);
    EXPECT_TRUE(bool(file));
    output::Progress progress(llvm::errs(), false, /*isQuiet=*/true);
    auto result = streamWeights(plan, *file, 4096, threads, progress);
    if (!result) return toString(result.takeError());
    hash = *result;
    EXPECT_FALSE(bool(file->reserve(4096 + plan.sectionBytes)));
    EXPECT_FALSE(bool(file->commit()));
    section = test::readBytes(folder.file("out"));
    section.erase(section.begin(), section.begin() + 4096);
    return "";
  }

  Folder folder;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<uint8_t> section;
  uint64_t hash = 0;
};

TEST_F(WeightStream, KeepsEveryFormatExactly) {
  for (const WeightFormat *format : quantized::allFormats()) {
    SCOPED_TRACE(format->name().str());
    // 37 rows: two whole row blocks and one of five.
    Sample sample{format->name().str(), format->name().str(), 37, 512};
    auto bytes = randomSource(*format, 37, 512, 1);
    auto planned =
        plan({writeSource("w", bytes)}, weightText(sample, "w", 0, 64));
    ASSERT_TRUE(bool(planned));
    ASSERT_EQ(stream(*planned), "");
    std::vector<float> expected(512);
    int64_t blockBytes = quantized::packedRowBlockBytes(*format, 512);
    for (int64_t row = 0; row < 37; ++row) {
      format->decodeReference(bytes.data() + format->sourceBytes(row, 512), 512,
                              expected.data());
      const uint8_t *block = section.data() + 64 + row / 16 * blockBytes;
      for (int64_t column = 0; column < 512; ++column)
        ASSERT_EQ(
            quantized::decodePacked(*format, block, row % 16, column, 512),
            expected[size_t(column)])
            << row << " " << column;
    }
  }
}

// Kept bits too: an identity must not send them through floats.
TEST_F(WeightStream, IdentityChangesNothing) {
  for (const WeightFormat *format : quantized::allFormats())
    for (std::string target : {format->name().str(), std::string("f32")}) {
      SCOPED_TRACE(format->name().str() + " to " + target);
      Sample sample{format->name().str(), target, 17, 256};
      std::string source = writeSource("w", randomSource(*format, 17, 256, 3));
      std::string text = weightText(sample, "w", 0, 0);
      auto plain = plan({source}, text);
      ASSERT_TRUE(bool(plain));
      ASSERT_EQ(stream(*plain), "");
      auto expected = section;
      text.insert(text.find(", packed_offset"),
                  ", transforms = [#quantized.transform<identity>]");
      auto planned = plan({source}, text);
      ASSERT_TRUE(bool(planned));
      ASSERT_EQ(planned->jobs.front().transforms.size(), 1u);
      ASSERT_EQ(stream(*planned), "");
      EXPECT_TRUE(section == expected);
    }
}

TEST_F(WeightStream, ConvertsAsDecodeThenEncode) {
  for (const WeightFormat *source : quantized::allFormats())
    for (const char *name : {"f32", "bf16", "q8_0", "q4_0"}) {
      const WeightFormat *format = quantized::lookupFormat(name);
      if (format == source) continue;
      SCOPED_TRACE(source->name().str() + " to " + name);
      Sample sample{source->name().str(), name, 17, 256};
      auto bytes = randomSource(*source, 17, 256, 2);
      auto planned =
          plan({writeSource("w", bytes)}, weightText(sample, "w", 0, 0));
      ASSERT_TRUE(bool(planned));
      ASSERT_EQ(stream(*planned), "");
      std::vector<float> values(256), expected(256);
      std::vector<uint8_t> encoded(size_t(format->sourceBytes(1, 256)));
      for (int64_t row = 0; row < 17; ++row) {
        source->decodeReference(bytes.data() + source->sourceBytes(row, 256),
                                256, values.data());
        ASSERT_TRUE(format->encode(values.data(), 256, encoded.data()));
        format->decodeReference(encoded.data(), 256, expected.data());
        const uint8_t *block =
            section.data() +
            row / 16 * quantized::packedRowBlockBytes(*format, 256);
        for (int64_t column = 0; column < 256; ++column)
          ASSERT_EQ(
              quantized::decodePacked(*format, block, row % 16, column, 256),
              expected[size_t(column)]);
      }
    }
}

// Many pieces on many threads: same bytes and the section's own hash, padding
// included, on one thread and on five.
TEST_F(WeightStream, HashAndBytesDoNotDependOnThreads) {
  const WeightFormat *format = quantized::lookupFormat("f32");
  std::vector<std::string> sources;
  std::string body;
  uint64_t offset = 128;
  for (int i = 0; i < 3; ++i) {
    Sample sample{"f32", i == 1 ? "bf16" : "f32", 2000, 512};
    sources.push_back(writeSource("w" + std::to_string(i),
                                  randomSource(*format, 2000, 512, 3 + i)));
    body += weightText(sample, "w" + std::to_string(i), i, int64_t(offset));
    offset += uint64_t(quantized::packedMatrixBytes(
                  *quantized::lookupFormat(sample.format), 2000, 512)) +
              64;
  }
  auto planned = plan(sources, body);
  ASSERT_TRUE(bool(planned));
  ASSERT_EQ(stream(*planned, 1), "");
  auto first = section;
  EXPECT_EQ(hash, XXH3_64bits(section.data(), section.size()));
  ASSERT_EQ(stream(*planned, 5), "");
  EXPECT_EQ(hash, XXH3_64bits(section.data(), section.size()));
  EXPECT_TRUE(first == section);
}

TEST_F(WeightStream, VectorsBecomeF32) {
  const WeightFormat *format = quantized::lookupFormat("bf16");
  auto bytes = randomSource(*format, 1, 100, 7);
  auto planned = plan({writeSource("v", bytes)},
                      weightText({"bf16", "f32", 0, 100}, "v", 0, 0));
  ASSERT_TRUE(bool(planned));
  ASSERT_EQ(stream(*planned), "");
  std::vector<float> expected(100);
  format->decodeReference(bytes.data(), 100, expected.data());
  ASSERT_EQ(section.size(), 400u);
  EXPECT_EQ(std::memcmp(section.data(), expected.data(), 400), 0);
}

TEST_F(WeightStream, ShortFileNamesFileAndTensor) {
  const WeightFormat *format = quantized::lookupFormat("q8_0");
  auto bytes = randomSource(*format, 32, 64, 1);
  bytes.resize(bytes.size() - 10);
  std::string path = writeSource("short", bytes);
  auto planned = plan({path}, weightText({"q8_0", "q8_0", 32, 64}, "w", 0, 0));
  ASSERT_TRUE(bool(planned));
  EXPECT_EQ(stream(*planned),
            "tensor 'w': cannot read '" + path +
                "': expected 2176 bytes at 8, found the end of the file after "
                "2166");
  EXPECT_EQ(folder.names(), std::set<std::string>{"short"});
}

TEST_F(WeightStream, MissingFileIsNamed) {
  auto planned = plan({folder.file("gone")},
                      weightText({"q8_0", "q8_0", 32, 64}, "w", 0, 0));
  ASSERT_TRUE(bool(planned));
  EXPECT_EQ(stream(*planned), "cannot open '" + folder.file("gone") +
                                  "': No such file or directory");
}

TEST_F(WeightStream, NonFiniteScaleIsRefused) {
  const WeightFormat *format = quantized::lookupFormat("q8_0");
  auto bytes = randomSource(*format, 20, 64, 1);
  uint16_t infinity = 0x7C00;  // the scale opens a q8_0 block
  std::memcpy(bytes.data() + format->sourceBytes(17, 64), &infinity, 2);
  auto planned = plan({writeSource("w", bytes)},
                      weightText({"q8_0", "q8_0", 20, 64}, "w", 0, 0));
  ASSERT_TRUE(bool(planned));
  EXPECT_EQ(stream(*planned),
            "tensor 'w': expected finite scales, found one that is not");
}

TEST_F(WeightStream, NonFiniteGainIsRefused) {
  std::vector<float> gain(32, 1.0f);
  gain[5] = NAN;
  std::vector<uint8_t> bytes(128);
  std::memcpy(bytes.data(), gain.data(), 128);
  auto planned = plan({writeSource("v", bytes)},
                      weightText({"f32", "f32", 0, 32}, "v", 0, 0));
  ASSERT_TRUE(bool(planned));
  EXPECT_EQ(stream(*planned),
            "tensor 'v': expected finite values, found one that is not");
}

TEST_F(WeightStream, FormatThatIsOnlyReadIsRefused) {
  const WeightFormat *format = quantized::lookupFormat("f32");
  auto planned = plan({writeSource("w", randomSource(*format, 16, 256, 1))},
                      weightText({"f32", "q4_k", 16, 256}, "w", 0, 0));
  ASSERT_TRUE(bool(planned));
  EXPECT_EQ(stream(*planned),
            "tensor 'w': cannot convert f32 to q4_k: that "
            "format is only read, not made");
}

TEST_F(WeightStream, OverlapAndUnknownFileAreRefused) {
  Sample sample{"q8_0", "q8_0", 16, 32};
  auto overlap = plan(
      {"a"}, weightText(sample, "w", 0, 0) + weightText(sample, "x", 0, 64));
  ASSERT_FALSE(bool(overlap));
  EXPECT_EQ(toString(overlap.takeError()),
            "tensor 'x': expected a packed offset of at least 544, found 64");
  auto file = plan({"a"}, weightText(sample, "w", 1, 0));
  ASSERT_FALSE(bool(file));
  EXPECT_EQ(toString(file.takeError()),
            "tensor 'w': expected a file index below 1, found 1");
}

}  // namespace
}  // namespace gemmac::packaging
