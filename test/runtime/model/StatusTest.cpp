// SPDX-License-Identifier: Apache-2.0
// Codes, what a process ends with, and results.
#include "runtime/model/Status.h"

#include <gtest/gtest.h>

#include <memory>

namespace gemma {
namespace {

TEST(Status, TheCodeDecidesTheExitCode) {
  EXPECT_EQ(exitCode(Status().code()), 0);
  for (Code code : {Code::InvalidInput, Code::Unsupported, Code::ContextFull,
                    Code::OutOfMemory, Code::Io})
    EXPECT_EQ(exitCode(code), 1);
  EXPECT_EQ(exitCode(Code::Usage), 2);
  EXPECT_EQ(exitCode(Code::WrongMachine), 3);
}

TEST(Status, KeepsItsCodeWhereAPlaceIsAdded) {
  Status status(Code::Io, "cannot be read");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.in("file").message(), "file: cannot be read");
  EXPECT_EQ(status.in("file").code(), Code::Io);
  EXPECT_TRUE(Status().in("file").ok());
  EXPECT_EQ(Status().in("file").message(), "");
  // What was told already has nothing more to say, and failed all the same.
  EXPECT_FALSE(Status::reported(Code::Io).ok());
  EXPECT_EQ(Status::reported(Code::Io).message(), "");
}

Result<std::unique_ptr<int>> positive(int number) {
  if (number <= 0) return Status(Code::InvalidInput, "expected more");
  return std::make_unique<int>(number);
}

TEST(Result, HoldsAValueOrSaysWhyNot) {
  auto good = positive(3);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(**good, 3);
  EXPECT_EQ(*good->get(), 3);
  std::unique_ptr<int> taken = std::move(*good);
  EXPECT_EQ(*taken, 3);
  auto bad = positive(0);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().message(), "expected more");
}

#ifndef NDEBUG
// What is asserted at all: the tests' runtime has assertions.
TEST(ResultDeathTest, HasNoValueWhereItFailed) {
  auto bad = positive(0);
  EXPECT_DEATH(*bad, "ok\\(\\)");
}
#endif

}  // namespace
}  // namespace gemma
