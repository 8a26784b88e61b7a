// SPDX-License-Identifier: Apache-2.0
// What keys do to a line, in characters and not in bytes.
#include <gtest/gtest.h>

#include "runtime/app/terminal/LineEditor.h"

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

TEST(LineBuffer, ShowsWhatFitsAroundTheCursor) {
  LineBuffer line;
  line.insert("abc\xE4\xB8\xAD\xE6\x96\x87");  // two wide characters
  for (size_t room = 2; room < 20; ++room) {
    LineBuffer::View view = line.view(room);
    EXPECT_LE(view.cursor, room);
    EXPECT_TRUE(line.text().ends_with(view.text)) << view.text;
  }
  EXPECT_EQ(line.view(4).text, "\xE4\xB8\xAD\xE6\x96\x87");
  // Half a wide character is not shown.
  EXPECT_EQ(line.view(3).text, "\xE6\x96\x87");
  EXPECT_EQ(line.view(3).cursor, 2u);
  line.home();
  EXPECT_EQ(line.view(4).text, "abc");
  EXPECT_EQ(line.view(5).text, "abc\xE4\xB8\xAD");
  EXPECT_EQ(line.view(5).cursor, 0u);
}

TEST(LineBuffer, ShowsSignsForControlCharacters) {
  LineBuffer line;
  line.insert("a\nb\tc\x1b[2J");
  EXPECT_EQ(line.view(80).text,
            "a\xE2\x86\xB5"
            "b c?[2J");
  EXPECT_EQ(line.view(80).cursor, 9u);
  // Marks that combine take no column and stay with what they are on.
  LineBuffer marks;
  marks.insert("e\xCC\x81x");
  EXPECT_EQ(marks.columns(marks.text().size()), 2u);
}

}  // namespace
}  // namespace gemma
