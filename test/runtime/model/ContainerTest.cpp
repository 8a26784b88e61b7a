// SPDX-License-Identifier: Apache-2.0
// What a damaged file says, and that every single byte of one is covered.
#include "runtime/model/Container.h"

#include <gtest/gtest.h>

#include "test/runtime/ContainerWriter.h"

namespace gemma {
namespace {

using test::makeContainer;
using test::writeFile;

class ContainerTest : public testing::Test {
 protected:
  ContainerTest()
      : path(testing::TempDir() + "container-" +
             testing::UnitTest::GetInstance()->current_test_info()->name()),
        bytes(makeContainer("code", "{\"name\":\"x\"}", "tokens",
                            std::string(9000, 'w'))) {}
  ~ContainerTest() override { remove(path.c_str()); }

  std::string openError(const std::string &contents) {
    writeFile(path, contents);
    return container.open(path.c_str()).message();
  }

  std::string path, bytes;
  Container container;
};

TEST_F(ContainerTest, MapsEverySection) {
  ASSERT_EQ(openError(bytes), "");
  EXPECT_EQ(test::asText(container.section(GEMMA_SECTION_METADATA)),
            "{\"name\":\"x\"}");
  EXPECT_EQ(test::asText(container.section(GEMMA_SECTION_TOKENIZER)), "tokens");
  auto weights = container.section(GEMMA_SECTION_WEIGHTS);
  EXPECT_EQ(test::asText(weights), std::string(9000, 'w'));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights.data()) % 4096, 0u);
  container.prefaultWeights();
  EXPECT_TRUE(container.verifyAll().ok());
}

TEST_F(ContainerTest, NamesTruncationAndStripping) {
  for (size_t size : {bytes.size() - 1, bytes.size() - 200, size_t{65536},
                      size_t{100}, size_t{0}})
    EXPECT_NE(openError(bytes.substr(0, size)).find("cut off or stripped"),
              std::string::npos)
        << size;
}

// The sections lie in front of the trailer, so a cut in the middle moves them.
TEST_F(ContainerTest, FindsMissingBytesInTheMiddle) {
  std::string cut = bytes;
  cut.erase(70000, 4096);
  std::string error = openError(cut);
  EXPECT_FALSE(error.empty() && container.verifyAll().ok());
  cut = bytes;
  cut.erase(0, 65536);
  EXPECT_FALSE(openError(cut).empty());
}

TEST_F(ContainerTest, AnyFlippedBitIsFound) {
  // Every byte of the trailer, every 61st of the rest.
  for (size_t at = 0; at < bytes.size();
       at += at < bytes.size() - 200 ? 61 : 1) {
    std::string damaged = bytes;
    damaged[at] ^= static_cast<char>(1 << at % 8);
    std::string error = openError(damaged);
    if (error.empty()) error = container.verifyAll().message();
    ASSERT_FALSE(error.empty()) << "byte " << at << " of " << bytes.size();
    ASSERT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST_F(ContainerTest, CodeAndMetadataAreCheckedAtStart) {
  std::string damaged = bytes;
  damaged[2] ^= 1;
  EXPECT_NE(openError(damaged).find("the code is damaged"), std::string::npos);
  damaged = bytes;
  damaged[65536 + 3] ^= 1;
  EXPECT_NE(openError(damaged).find("the metadata section is damaged"),
            std::string::npos);
  EXPECT_FALSE(container.isOpen());
}

// Sizes that lie, with a right hash: nothing may be read outside the file.
TEST_F(ContainerTest, RefusesSectionsOutsideTheFile) {
  for (uint64_t wrong : {uint64_t{1} << 20, ~uint64_t{0}, ~uint64_t{4095}}) {
    for (int field = 0; field < 3; ++field) {
      gemma_trailer trailer;
      memcpy(&trailer, bytes.data() + bytes.size() - sizeof(trailer),
             sizeof(trailer));
      gemma_section &section = trailer.sections[GEMMA_SECTION_WEIGHTS];
      (field == 0   ? section.offset
       : field == 1 ? section.size
                    : trailer.container_offset) = wrong;
      trailer.trailer_hash =
          XXH3_64bits(&trailer, offsetof(gemma_trailer, trailer_hash));
      std::string damaged = bytes;
      memcpy(damaged.data() + bytes.size() - sizeof(trailer), &trailer,
             sizeof(trailer));
      EXPECT_FALSE(openError(damaged).empty()) << wrong << " " << field;
    }
  }
}

TEST_F(ContainerTest, NamesAMissingFile) {
  EXPECT_NE(container.open("/nonexistent/file")
                .message()
                .find("/nonexistent/file: cannot be opened"),
            std::string::npos);
}

}  // namespace
}  // namespace gemma
