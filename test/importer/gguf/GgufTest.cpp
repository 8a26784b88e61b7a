// SPDX-License-Identifier: Apache-2.0
// The GGUF reader: one good file, and files that are wrong in one place.
#include "compiler/importer/gguf/Gguf.h"

#include <gtest/gtest.h>

#include "compiler/importer/Importer.h"
#include "mlir/IR/MLIRContext.h"
#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

// Reads the file's tables and its model: why either is refused.
std::string read(const std::string &bytes) {
  TemporaryFolder folder;
  auto checkpoint = readCheckpoint(folder.write("model.gguf", bytes));
  return checkpoint ? checkpoint->unsupported
                    : llvm::toString(checkpoint.takeError());
}

#define EXPECT_WORDS(message, words) \
  EXPECT_NE((message).find(words), std::string::npos) << (message)

#define EXPECT_REFUSED(bytes, words) \
  EXPECT_NE(read(bytes).find(words), std::string::npos) << read(bytes)

TEST(Gguf, ReadsSizesTensorsAndLayerKinds) {
  TemporaryFolder folder;
  auto checkpoint =
      readCheckpoint(folder.write("model.gguf", tinyGguf().bytes()));
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  const ModelConfig &config = checkpoint->config;
  EXPECT_EQ(config.vocabulary, 48);
  EXPECT_EQ(config.width, 32);
  EXPECT_EQ(config.sliding, (std::vector<bool>{true, false}));
  EXPECT_EQ(config.gainOffset, 0);
  EXPECT_TRUE(config.tied);
  EXPECT_EQ(config.embeddingScale, std::sqrt(32.0f));
  const CheckpointTensor *down =
      checkpoint->find("layers.1.mlp.down_proj.weight");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(down->name, "blk.1.ffn_down.weight");
  EXPECT_EQ(down->shape, (std::vector<int64_t>{32, 64}));
  EXPECT_EQ(down->bytes, 32 * 64 * 4);
}

TEST(Gguf, RefusesEveryTruncation) {
  std::string bytes = tinyGguf().bytes();
  // Every cut in the tables, coarse steps in the data.
  for (size_t size = 0; size < bytes.size(); size += size < 4096 ? 1 : 997)
    EXPECT_NE(read(bytes.substr(0, size)), "") << size;
}

TEST(Gguf, RefusesWrongHeader) {
  GgufWriter file = tinyGguf();
  file.magic = "GGML";
  EXPECT_REFUSED(file.bytes(), "expected the magic 'GGUF'");
  file = tinyGguf();
  file.version = 1;
  EXPECT_REFUSED(file.bytes(), "expected GGUF version 2 or 3, found 1");
  file.version = 0x03000000;
  EXPECT_REFUSED(file.bytes(), "big-endian");
}

TEST(Gguf, RefusesHugeCounts) {
  GgufWriter file = tinyGguf();
  file.extraValues = int64_t(1) << 62;
  EXPECT_REFUSED(file.bytes(), "key-value pairs, found");
  file = tinyGguf();
  file.extraTensors = int64_t(1) << 62;
  EXPECT_REFUSED(file.bytes(), "tensors, found");
  file = tinyGguf();
  file.values.push_back(ggufString("a") + bytesOf<uint32_t>(9) +
                        bytesOf<uint32_t>(4) + bytesOf<uint64_t>(1ull << 62));
  EXPECT_REFUSED(file.bytes(), "elements, found");
  file = tinyGguf();
  file.values.push_back(ggufString("a") + bytesOf<uint32_t>(9) +
                        bytesOf<uint32_t>(8) + bytesOf<uint64_t>(1ull << 62));
  EXPECT_REFUSED(file.bytes(), "strings, found");
  file = tinyGguf();
  file.values.push_back(ggufString("a") + bytesOf<uint32_t>(8) +
                        bytesOf<uint64_t>(UINT64_MAX));
  EXPECT_REFUSED(file.bytes(), "to the file's end");
}

TEST(Gguf, RefusesDuplicates) {
  GgufWriter file = tinyGguf();
  file.u32("gemma3.block_count", 2);
  EXPECT_REFUSED(file.bytes(), "gemma3.block_count stands twice");
  file = tinyGguf();
  file.tensor("output_norm.weight", {32});
  EXPECT_REFUSED(file.bytes(), "output_norm.weight stands twice");
}

TEST(Gguf, RefusesNestedArraysAndUnknownTypes) {
  GgufWriter file = tinyGguf();
  file.values.push_back(ggufString("a") + bytesOf<uint32_t>(9) +
                        bytesOf<uint32_t>(9) + bytesOf<uint64_t>(1));
  EXPECT_REFUSED(file.bytes(), "array element type 9");
  file = tinyGguf();
  file.values.push_back(ggufString("a") + bytesOf<uint32_t>(77));
  EXPECT_REFUSED(file.bytes(), "unknown value type 77");
}

TEST(Gguf, RefusesWrongTensors) {
  auto with = [](auto change) {
    GgufWriter file = tinyGguf();
    change(file.tensors.front());
    return file.bytes();
  };
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {1, 1, 1, 1, 1}; }),
                 "expected 1 to 4 dimensions, found 5");
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {}; }),
                 "expected 1 to 4 dimensions, found 0");
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {32, 0}; }),
                 "dimension 1 is 0");
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {1ull << 32, 1ull << 32}; }),
                 "overflows");
  // The element count fits 64 bits, the byte count does not.
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {1ull << 31, 1ull << 31}; }),
                 "overflows");
  EXPECT_REFUSED(with([](auto &t) { t.dimensions = {UINT64_MAX}; }),
                 "dimension 0 is");
  EXPECT_REFUSED(with([](auto &t) { t.type = 99; }), "unknown tensor type 99");
  EXPECT_REFUSED(with([](auto &t) { t.type = 12; }), "multiples of 256");
  EXPECT_REFUSED(with([](auto &t) { t.offset = 8; }), "multiple of 32");
  EXPECT_REFUSED(with([](auto &t) { t.offset = 1ull << 40; }), "bytes of data");
  EXPECT_REFUSED(with([](auto &t) { t.offset = UINT64_MAX - 31; }),
                 "beyond the file's end");
  EXPECT_REFUSED(with([](auto &t) { t.offset = 32; }), "overlap");
}

TEST(Gguf, RefusesWrongAlignment) {
  for (uint32_t alignment : {0u, 3u, 1u << 17}) {
    GgufWriter file = tinyGguf();
    file.u32("general.alignment", alignment);
    EXPECT_REFUSED(file.bytes(), "general.alignment");
  }
}

TEST(Gguf, RefusesOtherModelsByName) {
  GgufWriter file = tinyGguf();
  file.values[0] = ggufString("general.architecture") + bytesOf<uint32_t>(8) +
                   ggufString("llama");
  EXPECT_REFUSED(file.bytes(), "unsupported architecture 'llama'");
  file.values[0] = ggufString("general.architecture") + bytesOf<uint32_t>(8) +
                   ggufString("gemma-embedding");
  EXPECT_REFUSED(file.bytes(), "(EmbeddingGemma");
  file = tinyGguf();
  file.string("general.type", "adapter");
  EXPECT_REFUSED(file.bytes(), "expected general.type 'model'");
}

// What was read of a refused file is there for `inspect`.
TEST(Gguf, ShowsWhatItRefuses) {
  GgufWriter file = tinyGguf();
  file.values[0] = ggufString("general.architecture") + bytesOf<uint32_t>(8) +
                   ggufString("llama");
  TemporaryFolder folder;
  auto checkpoint = readCheckpoint(folder.write("m.gguf", file.bytes()));
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->config.architecture, "llama");
  EXPECT_EQ(checkpoint->config.name, "tiny");
  EXPECT_EQ(checkpoint->tensors.size(), file.tensors.size());
  EXPECT_NE(std::find(checkpoint->settings.begin(), checkpoint->settings.end(),
                      std::pair<std::string, std::string>(
                          "gemma3.embedding_length", "32")),
            checkpoint->settings.end());
}

// tinyGguf() in `count` parts, tensors dealt out in turn.
std::vector<GgufWriter> tinyParts(uint16_t count) {
  GgufWriter whole = tinyGguf();
  std::vector<GgufWriter> parts(count);
  parts[0].values = whole.values;
  for (uint16_t i = 0; i < count; ++i) {
    parts[i].u16("split.no", i);
    parts[i].u16("split.count", count);
    parts[i].u32("split.tensors.count", uint32_t(whole.tensors.size()));
  }
  for (size_t i = 0; i < whole.tensors.size(); ++i) {
    // The embedding is not in the first part.
    const GgufTensorEntry &entry = whole.tensors[i];
    parts[(i + 1) % count].tensor(
        entry.name, {entry.dimensions.rbegin(), entry.dimensions.rend()});
  }
  return parts;
}

std::string partName(size_t number, size_t count) {
  return "m-0000" + std::to_string(number) + "-of-0000" +
         std::to_string(count) + ".gguf";
}

// Why the parts, as they stand in a folder, are refused; `from` is opened.
std::string readParts(const std::vector<GgufWriter> &parts, size_t from = 0) {
  TemporaryFolder folder;
  std::string path;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string file =
        folder.write(partName(i + 1, parts.size()), parts[i].bytes());
    if (i == from) path = file;
  }
  auto checkpoint = readCheckpoint(path);
  return checkpoint ? checkpoint->unsupported
                    : llvm::toString(checkpoint.takeError());
}

TEST(Gguf, ReadsAllPartsOfASplitFile) {
  TemporaryFolder folder;
  std::string path;
  std::vector<GgufWriter> parts = tinyParts(3);
  for (size_t i = 3; i-- > 0;)
    path = folder.write(partName(i + 1, 3), parts[i].bytes());
  auto checkpoint = readCheckpoint(path);
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->unsupported, "");
  EXPECT_EQ(checkpoint->files.size(), 3u);
  EXPECT_EQ(checkpoint->tensors.size(), tinyGguf().tensors.size());
  EXPECT_EQ(checkpoint->config.vocabulary, 48);
  EXPECT_EQ(checkpoint->find("embed_tokens.weight")->file, 1);
  mlir::MLIRContext context;
  auto model = importModel(std::move(*checkpoint), context);
  EXPECT_TRUE(bool(model)) << llvm::toString(model.takeError());
}

TEST(Gguf, RefusesPartsThatDisagree) {
  auto with = [](auto change) {
    std::vector<GgufWriter> parts = tinyParts(3);
    change(parts);
    return readParts(parts);
  };
  EXPECT_EQ(with([](auto &) {}), "");
  EXPECT_WORDS(readParts(tinyParts(3), 1),
               "expected the first of 3 parts, found part 2");
  EXPECT_WORDS(
      with([](auto &parts) { parts[2].values[0] = parts[1].values[0]; }),
      "split.no: expected 2, found 1");
  EXPECT_WORDS(with([](auto &parts) {
                 parts[1].values.erase(parts[1].values.begin() + 1);
               }),
               "split.count: expected 3, found 0");
  EXPECT_WORDS(with([](auto &parts) { parts[1].tensors.pop_back(); }),
               "split.tensors.count: expected 27, found 28");
  EXPECT_WORDS(with([](auto &parts) {
                 parts[1].tensors.back().name = parts[2].tensors[0].name;
               }),
               "stands in another part too");
  EXPECT_WORDS(with([](auto &parts) { parts[2].magic = "GGML"; }),
               "m-00003-of-00003.gguf: expected the magic");
  // Two files where three are announced; and a name that does not say it.
  std::vector<GgufWriter> parts = tinyParts(3);
  parts.pop_back();
  EXPECT_WORDS(readParts(parts), "-00001-of-00003.gguf");
  TemporaryFolder folder;
  std::string path = folder.write(partName(1, 3), parts[0].bytes());
  EXPECT_WORDS(messageOf(readCheckpoint(path)), "m-00002-of-00003.gguf: No");
  GgufWriter many = tinyGguf();
  many.u32("split.count", 4000000000u);
  EXPECT_REFUSED(many.bytes(), "expected at most 1024, found 4000000000");
}

TEST(Gguf, RefusesWrongSizes) {
  auto with = [](const std::string &key, uint32_t value) {
    GgufWriter file = tinyGguf();
    std::string start = ggufString("gemma3." + key);
    for (std::string &pair : file.values)
      if (pair.starts_with(start))
        pair = start + bytesOf<uint32_t>(4) + bytesOf(value);
    return file.bytes();
  };
  EXPECT_REFUSED(with("block_count", 0), "layers: expected 1 to");
  EXPECT_REFUSED(with("block_count", 4000000000u), "layers: expected 1 to");
  EXPECT_REFUSED(with("attention.head_count_kv", 0), "key-value heads");
  EXPECT_REFUSED(with("attention.head_count_kv", 3), "in multiples of 3");
  EXPECT_REFUSED(with("attention.value_length", 8), "attention.value_length");
}

}  // namespace
}  // namespace gemmac::importer::test
