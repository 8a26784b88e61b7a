// The GGUF reader: one good file, and files that are wrong in one place.
#include "compiler/importer/Gguf.h"

#include <gtest/gtest.h>

#include "compiler/importer/Importer.h"
#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

// Reads the file's tables and its model.
std::string read(const std::string &bytes) {
  TemporaryFolder folder;
  return messageOf(readCheckpoint(folder.write("model.gguf", bytes)));
}

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
  file = tinyGguf();
  file.u32("split.count", 3);
  EXPECT_REFUSED(file.bytes(), "one of 3 parts");
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
