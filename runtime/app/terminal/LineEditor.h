// SPDX-License-Identifier: Apache-2.0
// LineEditor: one text from a terminal, with arrows, Home, End, word and line
// deletion, history, and UTF-8 characters as units; from anything that is no
// terminal, plain lines. What is pasted stays together, line feeds included,
// and Alt-Enter puts one in; Enter ends the text. Ctrl-C clears it, Ctrl-D on
// an empty one ends. It knows nothing of commands and draws one row.
#ifndef GEMMA_RUNTIME_APP_TERMINAL_LINEEDITOR_H
#define GEMMA_RUNTIME_APP_TERMINAL_LINEEDITOR_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gemma {

// The text and the cursor, without a terminal: what keys do. Positions are
// bytes at the start of a character.
class LineBuffer {
 public:
  const std::string &text() const { return line; }
  size_t cursor() const { return at; }
  void set(std::string text);

  void insert(std::string_view bytes);
  void left();
  void right();
  void home() { at = 0; }
  void end() { at = line.size(); }
  void backspace();
  void erase();  // the character under the cursor
  void eraseWordLeft();
  void eraseToStart();
  void eraseToEnd() { line.resize(at); }

  // Columns that the first `bytes` bytes take: two for wide characters.
  size_t columns(size_t bytes) const;

  // What fits into `room` columns around the cursor, and the column of the
  // cursor in it. Control characters are shown by signs of one column.
  struct View {
    std::string text;
    size_t cursor;
  };
  View view(size_t room) const;

 private:
  size_t widthAt(size_t position) const;
  size_t before(size_t position) const;
  size_t after(size_t position) const;

  std::string line;
  size_t at = 0;
};

class LineEditor {
 public:
  LineEditor();

  // Reads a line without its end. False at the end of the input.
  bool read(const char *prompt, std::string &line);

  bool onTerminal() const { return terminal; }

 private:
  enum class Key { None, Enter, End };
  enum class Wait { Forever, Briefly };

  bool readPlain(std::string &line);
  bool readEdited(const char *prompt, std::string &line);
  Key readKey(LineBuffer &buffer);
  Key readCharacter(char lead, LineBuffer &buffer);
  void handleEscape(LineBuffer &buffer);
  void paste(LineBuffer &buffer);
  void recall(LineBuffer &buffer, int step);
  void draw(const char *prompt, const LineBuffer &buffer);
  bool readByte(char &byte, Wait wait = Wait::Forever);

  bool terminal;
  std::string pendingInput;      // read ahead
  std::function<void()> redraw;  // where the window changed
  std::vector<std::string> history;
  size_t recalled = 0;  // index into history; its size: the new line
  std::string unfinished;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_TERMINAL_LINEEDITOR_H
