// SPDX-License-Identifier: Apache-2.0
// The safetensors reader: good files, shards, and files wrong in one place.
#include "compiler/importer/huggingface/Safetensors.h"

#include <gtest/gtest.h>

#include "test/importer/CheckpointWriter.h"

namespace gemmac::importer::test {
namespace {

std::string read(const std::string &bytes) {
  TemporaryFolder folder;
  Checkpoint checkpoint;
  return llvm::toString(
      readSafetensors(folder.write("model.safetensors", bytes), checkpoint));
}

std::string readHeader(const std::string &header, uint64_t dataBytes = 16) {
  return read(safetensorsBytes(header, dataBytes));
}

#define EXPECT_WORDS(message, words) \
  EXPECT_NE((message).find(words), std::string::npos) << (message)

TEST(Safetensors, ReadsNamesShapesAndOffsets) {
  TemporaryFolder folder;
  std::string bytes = safetensorsOf(tinyShapes());
  Checkpoint checkpoint;
  llvm::Error error =
      readSafetensors(folder.write("model.safetensors", bytes), checkpoint);
  ASSERT_FALSE(bool(error));
  const CheckpointTensor *gate =
      checkpoint.find("layers.1.mlp.gate_proj.weight");
  ASSERT_NE(gate, nullptr);
  EXPECT_EQ(gate->name, "model.layers.1.mlp.gate_proj.weight");
  EXPECT_EQ(gate->shape, (std::vector<int64_t>{64, 32}));
  EXPECT_EQ(gate->format, "f32");
  int64_t end = 0;
  for (const CheckpointTensor &tensor : checkpoint.tensors)
    end = std::max(end, tensor.offset + tensor.bytes);
  EXPECT_EQ(end, int64_t(bytes.size()));
}

TEST(Safetensors, RefusesEveryTruncation) {
  std::string bytes = safetensorsOf(tinyShapes());
  for (size_t size = 0; size < bytes.size(); size += size < 4096 ? 1 : 997)
    EXPECT_NE(read(bytes.substr(0, size)), "") << size;
  EXPECT_WORDS(read(bytes + "x"), "bytes of data, found");
}

TEST(Safetensors, RefusesHugeHeader) {
  EXPECT_WORDS(read(bytesOf(UINT64_MAX) + "{}"),
               "expected a header of at most");
  EXPECT_WORDS(read(bytesOf<uint64_t>(100'000'001) + "{}"),
               "header of at most");
}

TEST(Safetensors, RefusesMalformedJson) {
  EXPECT_WORDS(readHeader("[1, 2]"), "expected a JSON object");
  EXPECT_WORDS(readHeader("{\"a\": "), "malformed JSON");
  EXPECT_WORDS(readHeader(std::string(1000, '[')), "levels of nesting");
  EXPECT_WORDS(readHeader("{\"a\": 3}"), "expected an object");
}

TEST(Safetensors, RefusesTensorThatStandsTwice) {
  std::string entry =
      R"("a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]})";
  EXPECT_WORDS(readHeader("{" + entry + "," + entry + "}"),
               "key 'a' stands twice");
}

TEST(Safetensors, RefusesWrongEntries) {
  auto entry = [](const std::string &dtype, const std::string &shape,
                  const std::string &offsets) {
    return readHeader("{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
                      ",\"data_offsets\":" + offsets + "}}");
  };
  EXPECT_EQ(entry("F32", "[4]", "[0,16]"), "");
  EXPECT_WORDS(entry("F31", "[4]", "[0,16]"), "unknown dtype 'F31'");
  EXPECT_WORDS(entry("F16", "[4]", "[0,16]"), "expected 8 bytes");
  EXPECT_WORDS(entry("F32", "[-4]", "[0,16]"), "integers >= 0");
  EXPECT_WORDS(entry("F32", "[4.0]", "[0,16]"), "integers >= 0");
  EXPECT_WORDS(entry("F32", "[4294967296,4294967296]", "[0,16]"), "overflows");
  EXPECT_WORDS(entry("F32", "[1,1,1,1,1,1,1,1,4]", "[0,16]"), "8 dimensions");
  EXPECT_WORDS(entry("F32", "[4]", "[16,0]"), "increasing data_offsets");
  EXPECT_WORDS(entry("F32", "[4]", "[0]"), "two data_offsets");
  EXPECT_WORDS(entry("F32", "[2]", "[8,16]"), "data_offsets from 0");
  EXPECT_WORDS(entry("F32", "[8]", "[0,32]"), "to the file's end");
}

TEST(Safetensors, RefusesOverlapAndGap) {
  auto two = [](int begin) {
    return readHeader(
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
        R"("b":{"dtype":"F32","shape":[2],"data_offsets":[)" +
        std::to_string(begin) + "," + std::to_string(begin + 8) + "]}}");
  };
  EXPECT_EQ(two(8), "");
  EXPECT_WORDS(two(4), "data_offsets from 8, found 4");
  EXPECT_WORDS(two(12), "data_offsets from 8, found 12");
}

TEST(Safetensors, ReadsShardsOfAnIndex) {
  TemporaryFolder folder;
  folder.write("one.safetensors", safetensorsOf({{"a", {4}}}));
  folder.write("two.safetensors", safetensorsOf({{"b", {8}}}));
  folder.write(
      "model.safetensors.index.json",
      R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  Checkpoint checkpoint;
  EXPECT_EQ(llvm::toString(readSafetensorsFolder(folder.path, checkpoint)), "");
  ASSERT_EQ(checkpoint.files.size(), 2u);
  EXPECT_EQ(checkpoint.find("b")->file, 1);
}

TEST(Safetensors, RefusesIndexThatLeavesItsFolder) {
  for (const char *name :
       {"../one.safetensors", "/etc/x.safetensors", ".one.safetensors",
        "a\\\\b.safetensors", "one.bin", "a\\u0000.safetensors"}) {
    TemporaryFolder folder;
    folder.write("model.safetensors.index.json",
                 std::string(R"({"weight_map":{"a":")") + name + "\"}}");
    Checkpoint checkpoint;
    EXPECT_WORDS(llvm::toString(readSafetensorsFolder(folder.path, checkpoint)),
                 "expected a .safetensors file beside the index");
  }
}

TEST(Safetensors, RefusesTensorOfTwoShards) {
  TemporaryFolder folder;
  folder.write("one.safetensors", safetensorsOf({{"a", {4}}}));
  folder.write("two.safetensors", safetensorsOf({{"a", {4}}, {"b", {4}}}));
  folder.write(
      "model.safetensors.index.json",
      R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  Checkpoint checkpoint;
  EXPECT_WORDS(llvm::toString(readSafetensorsFolder(folder.path, checkpoint)),
               "tensor a stands in two files");
}

}  // namespace
}  // namespace gemmac::importer::test
