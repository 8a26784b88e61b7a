// What keys do to a line, in characters and not in bytes.
#include <gtest/gtest.h>

#include "runtime/app/LineEditor.h"

namespace gemma {
namespace {

TEST(LineBuffer, MovesAndErasesWholeCharacters) {
  LineBuffer line;
  line.insert("a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80z");
  EXPECT_EQ(line.columns(line.text().size()), 1u + 1 + 2 + 2 + 1);
  line.left();
  line.backspace();
  EXPECT_EQ(line.text(), "a\xC3\xA9\xE4\xB8\xADz");
  line.left();
  line.left();
  line.erase();
  EXPECT_EQ(line.text(), "a\xE4\xB8\xADz");
  line.insert("x");
  EXPECT_EQ(line.text(), "ax\xE4\xB8\xADz");
  line.home();
  line.backspace();
  line.left();
  EXPECT_EQ(line.cursor(), 0u);
  line.end();
  line.right();
  line.erase();
  EXPECT_EQ(line.text(), "ax\xE4\xB8\xADz");
}

TEST(LineBuffer, ErasesWordsAndHalves) {
  LineBuffer line;
  line.insert("one two  ");
  line.eraseWordLeft();
  EXPECT_EQ(line.text(), "one ");
  line.insert("three");
  line.left();
  line.left();
  line.eraseToEnd();
  EXPECT_EQ(line.text(), "one thr");
  line.left();
  line.eraseToStart();
  EXPECT_EQ(line.text(), "r");
  EXPECT_EQ(line.cursor(), 0u);
}

}  // namespace
}  // namespace gemma
