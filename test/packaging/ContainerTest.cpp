// SPDX-License-Identifier: Apache-2.0
// The container as the compiler writes it, read by the runtime's own reader and
// against the contract in ModelAbi.h.
#include "compiler/packaging/Container.h"

#include <cstring>

#include <xxhash.h>

#include "gtest/gtest.h"
#include "runtime/model/Container.h"
#include "test/support/Folder.h"

namespace gemmac::packaging {
namespace {

using test::Folder;

std::vector<uint8_t> pattern(size_t count, uint8_t seed) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = uint8_t(seed + i * 7);
  return bytes;
}

// Sizes around every alignment; returns the path of the written file.
std::string writeContainer(Folder &folder, const ContainerParts &parts,
                           const std::vector<uint8_t> &weights) {
  auto file = output::AtomicFile::create(folder.file("app"), 0755);
  EXPECT_TRUE(bool(file));
  ContainerWriter writer(*file, parts);
  EXPECT_FALSE(bool(file->reserve(writer.fileBytes())));
  EXPECT_FALSE(bool(writer.writeParts()));
  EXPECT_FALSE(bool(file->write(weights, writer.weightsOffset())));
  EXPECT_FALSE(
      bool(writer.finish(XXH3_64bits(weights.data(), weights.size()))));
  EXPECT_FALSE(bool(file->commit()));
  EXPECT_EQ(std::filesystem::file_size(folder.file("app")), writer.fileBytes());
  return folder.file("app");
}

std::vector<uint8_t> sectionOf(const gemma::Container &container, int index) {
  auto bytes = container.section(index);
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

TEST(Container, RuntimeReadsBackWhatWasWritten) {
  for (size_t codeSize : {size_t(1), size_t(65536), size_t(70001)})
    for (size_t size : {size_t(0), size_t(1), size_t(4096), size_t(4097)}) {
      Folder folder;
      auto code = pattern(codeSize, 1), metadata = pattern(size, 2),
           tokenizer = pattern(size, 3), weights = pattern(size + 13, 4);
      ContainerParts parts{code, metadata, tokenizer, weights.size()};
      std::string path = writeContainer(folder, parts, weights);
      gemma::Container container;
      ASSERT_TRUE(container.open(path.c_str()).ok());
      EXPECT_TRUE(container.verifyAll().ok());
      EXPECT_EQ(sectionOf(container, GEMMA_SECTION_METADATA), metadata);
      EXPECT_EQ(sectionOf(container, GEMMA_SECTION_TOKENIZER), tokenizer);
      EXPECT_EQ(sectionOf(container, GEMMA_SECTION_WEIGHTS), weights);
    }
}

TEST(Container, AlignmentAndTrailerFollowTheAbi) {
  Folder folder;
  auto code = pattern(70001, 1), weights = pattern(5000, 4);
  ContainerParts parts{code, code, code, weights.size()};
  auto bytes = test::readBytes(writeContainer(folder, parts, weights));
  gemma_trailer trailer;
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof(trailer),
              sizeof(trailer));
  EXPECT_EQ(std::string(trailer.magic, 8), GEMMA_CONTAINER_MAGIC);
  EXPECT_EQ(trailer.container_offset, 131072u);
  for (const gemma_section &section : trailer.sections)
    EXPECT_EQ(section.offset % GEMMA_SECTION_ALIGN, 0u);
  EXPECT_EQ(trailer.code_hash, XXH3_64bits(bytes.data(), 131072));
}

TEST(Container, ADamagedByteIsSeen) {
  Folder folder;
  auto code = pattern(100, 1), weights = pattern(5000, 4);
  ContainerParts parts{code, code, code, weights.size()};
  std::string path = writeContainer(folder, parts, weights);
  auto good = test::readBytes(path);
  // Code, metadata, tokenizer, weights, trailer.
  for (size_t at : {size_t(50), size_t(65536), size_t(65536 + 4096),
                    size_t(65536 + 8192 + 4999), good.size() - 80}) {
    auto bytes = good;
    bytes[at] ^= 1;
    test::writeBytes(path, bytes);
    gemma::Container container;
    EXPECT_FALSE(container.open(path.c_str()).ok() &&
                 container.verifyAll().ok())
        << at;
  }
}

}  // namespace
}  // namespace gemmac::packaging
