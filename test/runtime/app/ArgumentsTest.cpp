// SPDX-License-Identifier: Apache-2.0
// Flags in all their spellings, from the command line and the environment.
#include "runtime/app/Arguments.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace gemma {
namespace {

constexpr Flag kFlags[] = {
    {"--top-k", 'k', "N", ""},
    {"--temp", 0, "X", ""},
    {"--json", 'j', nullptr, ""},
};

std::string parse(std::vector<const char *> words, Arguments &arguments) {
  return arguments.parse(words, kFlags).message();
}

TEST(Arguments, TakesEverySpelling) {
  for (std::vector<const char *> words :
       {std::vector<const char *>{"--top-k", "5"},
        {"--top-k=5"},
        {"-k", "5"},
        {"-k5"}}) {
    Arguments arguments;
    ASSERT_EQ(parse(words, arguments), "");
    int64_t value = 0;
    ASSERT_TRUE(arguments.integer("--top-k", 0, 10, value).ok());
    EXPECT_EQ(value, 5);
    EXPECT_FALSE(arguments.isSet("--json"));
  }
}

TEST(Arguments, RefusesWhatItDoesNotKnow) {
  Arguments arguments;
  EXPECT_NE(parse({"--nope"}, arguments), "");
  EXPECT_NE(parse({"--top-k"}, arguments), "");
  EXPECT_NE(parse({"--json=1"}, arguments), "");
  EXPECT_NE(parse({"stray"}, arguments), "");
  EXPECT_NE(parse({"-x"}, arguments), "");
}

TEST(Arguments, ChecksNumbersAndNamesTheRange) {
  Arguments arguments;
  for (const char *bad : {"x", "", "5x", "11", "-1", "1e99999", "0x5", "nan"}) {
    ASSERT_EQ(parse({"--top-k", bad, "--temp", bad}, arguments), "");
    int64_t integer = 7;
    double number = 7;
    EXPECT_EQ(arguments.integer("--top-k", 0, 10, integer).message(),
              "--top-k: expected a number from 0 to 10, found \"" +
                  std::string(bad) + "\"");
    EXPECT_FALSE(arguments.number("--temp", 0, 10, number).ok()) << bad;
    EXPECT_EQ(integer, 7);
    EXPECT_EQ(number, 7);
  }
  std::vector<int64_t> list;
  ASSERT_EQ(parse({"--top-k", "5,0,32"}, arguments), "");
  ASSERT_TRUE(arguments.integers("--top-k", 0, 100, list).ok());
  EXPECT_EQ(list, (std::vector<int64_t>{5, 0, 32}));
  ASSERT_EQ(parse({"--top-k", "5,,3"}, arguments), "");
  EXPECT_FALSE(arguments.integers("--top-k", 0, 100, list).ok());
}

TEST(Arguments, TheCommandLineWinsOverTheEnvironment) {
  setenv("GEMMAC_TOP_K", "3", 1);
  setenv("GEMMAC_JSON", "0", 1);
  Arguments arguments;
  ASSERT_EQ(parse({}, arguments), "");
  EXPECT_EQ(arguments.text("--top-k"), "3");
  EXPECT_FALSE(arguments.isSet("--json"));
  ASSERT_EQ(parse({"-k", "4"}, arguments), "");
  EXPECT_EQ(arguments.text("--top-k"), "4");
  unsetenv("GEMMAC_TOP_K");
  unsetenv("GEMMAC_JSON");
}

TEST(Arguments, KeepsEachValueOfARepeatedFlag) {
  setenv("GEMMAC_TOP_K", "3", 1);
  Arguments arguments;
  ASSERT_EQ(parse({}, arguments), "");
  EXPECT_EQ(arguments.texts("--top-k"), std::vector<std::string>{"3"});
  ASSERT_EQ(parse({"-k4", "--top-k=5"}, arguments), "");
  EXPECT_EQ(arguments.texts("--top-k"), (std::vector<std::string>{"4", "5"}));
  EXPECT_EQ(arguments.text("--top-k"), "5");
  unsetenv("GEMMAC_TOP_K");
}

}  // namespace
}  // namespace gemma
