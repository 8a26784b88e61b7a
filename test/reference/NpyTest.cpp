// SPDX-License-Identifier: Apache-2.0
// The .npy reader and writer: what is written is read back; what is not
// float32 in C order, or is cut off, is refused with a reason.
#include "test/support/reference/Npy.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gemmac::reference {
namespace {

using testing::HasSubstr;

std::string pathOf(const char *name) {
  return testing::TempDir() + "/npy-test-" + std::to_string(getpid()) + name;
}

std::string readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeBytes(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(NpyTest, WrittenTensorsAreReadBack) {
  for (const std::vector<int64_t> &shape :
       {std::vector<int64_t>{5}, {2, 3}, {0, 7}}) {
    Tensor tensor(shape);
    for (size_t i = 0; i < tensor.values.size(); ++i)
      tensor.values[i] = i - 0.25f;
    std::string error;
    ASSERT_TRUE(writeNpy(pathOf("round"), tensor));
    std::optional<Tensor> found = readNpy(pathOf("round"), error);
    ASSERT_TRUE(found) << error;
    EXPECT_EQ(found->shape, tensor.shape);
    EXPECT_EQ(found->values, tensor.values);
  }
}

TEST(NpyTest, ValuesStartAtAMultipleOf64) {
  ASSERT_TRUE(writeNpy(pathOf("aligned"), Tensor({3})));
  EXPECT_EQ((readBytes(pathOf("aligned")).size() - 3 * 4) % 64, 0u);
}

TEST(NpyTest, OtherFilesAreRefused) {
  ASSERT_TRUE(writeNpy(pathOf("good"), Tensor({2, 3})));
  std::string good = readBytes(pathOf("good")), error;

  writeBytes(pathOf("bad"), good.substr(0, good.size() - 1));
  EXPECT_FALSE(readNpy(pathOf("bad"), error));
  EXPECT_THAT(error, HasSubstr("expected 24 bytes of values, found 23"));

  std::string doubles = good;
  doubles.replace(doubles.find("<f4"), 3, "<f8");
  writeBytes(pathOf("bad"), doubles);
  EXPECT_FALSE(readNpy(pathOf("bad"), error));
  EXPECT_THAT(error, HasSubstr("expected float32 in C order"));

  writeBytes(pathOf("bad"), "{}");
  EXPECT_FALSE(readNpy(pathOf("bad"), error));
  EXPECT_THAT(error, HasSubstr("expected a .npy file of version 1.0"));
}

}  // namespace
}  // namespace gemmac::reference
