// SPDX-License-Identifier: Apache-2.0
// Keys and drawing. The text is drawn on one row and scrolls sideways when it
// is longer, so nothing depends on how a terminal wraps. Escape sequences:
// ECMA-48, xterm's keys and its bracketed paste.
#include "runtime/app/terminal/LineEditor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "runtime/app/terminal/CharacterWidth.h"
#include "runtime/app/terminal/RawMode.h"

namespace gemma {
namespace {

constexpr size_t kHistory = 500;
// Longer than the bytes of one key lie apart.
constexpr int kEscapeMilliseconds = 50;

bool isContinuation(char byte) { return (byte & 0xC0) == 0x80; }

constexpr char control(char letter) { return letter & 0x1F; }

uint32_t codePoint(std::string_view bytes) {
  auto lead = static_cast<unsigned char>(bytes[0]);
  uint32_t value = bytes.size() == 1   ? lead
                   : bytes.size() == 2 ? lead & 0x1F
                   : bytes.size() == 3 ? lead & 0x0F
                                       : lead & 0x07;
  for (char byte : bytes.substr(1)) value = value << 6 | (byte & 0x3F);
  return value;
}

// A sign of one column for what would move the cursor or worse.
std::string_view signOf(char control) {
  return control == '\n' ? "↵" : control == '\t' ? " " : "?";
}

bool isControl(char byte) {
  return static_cast<unsigned char>(byte) < 32 || byte == 127;
}

size_t terminalColumns() {
  winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

}  // namespace

void LineBuffer::set(std::string text) {
  line = std::move(text);
  at = line.size();
}

size_t LineBuffer::before(size_t position) const {
  if (position == 0) return 0;
  do --position;
  while (position > 0 && isContinuation(line[position]));
  return position;
}

size_t LineBuffer::after(size_t position) const {
  if (position >= line.size()) return line.size();
  do ++position;
  while (position < line.size() && isContinuation(line[position]));
  return position;
}

void LineBuffer::insert(std::string_view bytes) {
  line.insert(at, bytes);
  at += bytes.size();
}

void LineBuffer::left() { at = before(at); }
void LineBuffer::right() { at = after(at); }

void LineBuffer::backspace() {
  size_t from = before(at);
  line.erase(from, at - from);
  at = from;
}

void LineBuffer::erase() { line.erase(at, after(at) - at); }

void LineBuffer::eraseWordLeft() {
  size_t from = at;
  while (from > 0 && line[from - 1] == ' ') --from;
  while (from > 0 && line[from - 1] != ' ') --from;
  line.erase(from, at - from);
  at = from;
}

void LineBuffer::eraseToStart() {
  line.erase(0, at);
  at = 0;
}

size_t LineBuffer::widthAt(size_t position) const {
  if (isControl(line[position])) return 1;
  return characterWidth(codePoint(
      std::string_view(line).substr(position, after(position) - position)));
}

size_t LineBuffer::columns(size_t bytes) const {
  size_t count = 0;
  for (size_t i = 0; i < bytes; i = after(i)) count += widthAt(i);
  return count;
}

LineBuffer::View LineBuffer::view(size_t room) const {
  // To the left of the cursor as much as fits, then to its right.
  size_t from = at, used = 0;
  while (from > 0 && used + widthAt(before(from)) <= room) {
    from = before(from);
    used += widthAt(from);
  }
  View result{"", used};
  for (size_t i = from; i < line.size(); i = after(i)) {
    if (i >= at) used += widthAt(i);
    if (used > room) break;
    if (isControl(line[i]))
      result.text += signOf(line[i]);
    else
      result.text += line.substr(i, after(i) - i);
  }
  return result;
}

LineEditor::LineEditor()
    : terminal(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {}

bool LineEditor::read(const char *prompt, std::string &line) {
  return terminal ? readEdited(prompt, line) : readPlain(line);
}

bool LineEditor::readPlain(std::string &line) {
  for (;;) {
    size_t end = pendingInput.find('\n');
    if (end != std::string::npos) {
      line = pendingInput.substr(0, end);
      pendingInput.erase(0, end + 1);
      break;
    }
    char bytes[4096];
    ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) {
      pendingInput.append(bytes, count);
      continue;
    }
    // The last line may lack its end.
    if (pendingInput.empty()) return false;
    line = std::move(pendingInput);
    pendingInput.clear();
    break;
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

// False at the end of the input, and where none came in time.
bool LineEditor::readByte(char &byte, Wait wait) {
  while (pendingInput.empty()) {
    auto event =
        RawMode::wait(wait == Wait::Briefly ? kEscapeMilliseconds : -1);
    if (event == RawMode::Event::Nothing) return false;
    if (event == RawMode::Event::Resized) {
      redraw();
      continue;
    }
    char bytes[4096];
    ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    pendingInput.assign(bytes, count);
  }
  byte = pendingInput[0];
  pendingInput.erase(0, 1);
  return true;
}

void LineEditor::recall(LineBuffer &buffer, int step) {
  size_t to = recalled + step;
  if ((step < 0 && recalled == 0) || to > history.size()) return;
  if (recalled == history.size()) unfinished = buffer.text();
  recalled = to;
  buffer.set(to == history.size() ? unfinished : history[to]);
}

// All up to the end mark, as one insertion.
void LineEditor::paste(LineBuffer &buffer) {
  constexpr std::string_view kEnd = "\x1b[201~";
  std::string text;
  char byte;
  while (!text.ends_with(kEnd) && readByte(byte)) text += byte;
  if (text.ends_with(kEnd)) text.resize(text.size() - kEnd.size());
  // Terminals send a line's end as Enter would.
  std::string lines;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i > 0 && text[i - 1] == '\r') continue;
    lines += text[i] == '\r' ? '\n' : text[i];
  }
  buffer.insert(lines);
}

void LineEditor::handleEscape(LineBuffer &buffer) {
  // Escape alone, and keys that are not known, do nothing.
  char first = 0, key = 0;
  if (!readByte(first, Wait::Briefly)) return;
  if (first == '\r' || first == '\n') return buffer.insert("\n");
  if ((first != '[' && first != 'O') || !readByte(key, Wait::Briefly)) return;
  // Parameters, as in "3~" (Delete) or "1;5D" (Ctrl-Left), before the last.
  std::string parameters;
  while ((key >= '0' && key <= '9') || key == ';') {
    parameters += key;
    if (!readByte(key, Wait::Briefly)) return;
  }
  switch (key) {
    case 'A':
      return recall(buffer, -1);
    case 'B':
      return recall(buffer, 1);
    case 'C':
      return buffer.right();
    case 'D':
      return buffer.left();
    case 'H':
      return buffer.home();
    case 'F':
      return buffer.end();
    case '~':
      if (parameters == "3") buffer.erase();
      if (parameters == "1" || parameters == "7") buffer.home();
      if (parameters == "4" || parameters == "8") buffer.end();
      if (parameters == "200") paste(buffer);
      return;
  }
}

// The rest of a character whose first byte is `lead`.
LineEditor::Key LineEditor::readCharacter(char lead, LineBuffer &buffer) {
  auto first = static_cast<unsigned char>(lead);
  if (first < 32 && lead != '\t') return Key::None;
  std::string bytes(1, lead);
  size_t size = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  while (bytes.size() < size) {
    char next;
    if (!readByte(next)) return Key::End;
    if (!isContinuation(next)) {
      pendingInput.insert(0, 1, next);
      break;
    }
    bytes += next;
  }
  buffer.insert(bytes);
  return Key::None;
}

LineEditor::Key LineEditor::readKey(LineBuffer &buffer) {
  char byte;
  if (!readByte(byte)) return Key::End;
  switch (byte) {
    case '\r':
    case '\n':
      return Key::Enter;
    case control('D'):
      if (buffer.text().empty()) return Key::End;
      buffer.erase();
      break;
    case control('C'):
      buffer.set("");
      recalled = history.size();
      break;
    case control('A'):
      buffer.home();
      break;
    case control('E'):
      buffer.end();
      break;
    case control('B'):
      buffer.left();
      break;
    case control('F'):
      buffer.right();
      break;
    case control('P'):
      recall(buffer, -1);
      break;
    case control('N'):
      recall(buffer, 1);
      break;
    case control('K'):
      buffer.eraseToEnd();
      break;
    case control('U'):
      buffer.eraseToStart();
      break;
    case control('W'):
      buffer.eraseWordLeft();
      break;
    case control('H'):
    case 127:
      buffer.backspace();
      break;
    case 27:
      handleEscape(buffer);
      break;
    default:
      return readCharacter(byte, buffer);
  }
  return Key::None;
}

void LineEditor::draw(const char *prompt, const LineBuffer &buffer) {
  // The last column stays free for the cursor.
  size_t columns = terminalColumns(), taken = strlen(prompt) + 1;
  LineBuffer::View view =
      buffer.view(columns > taken + 1 ? columns - taken : 2);
  std::string output = "\r" + std::string(prompt) + view.text + "\x1b[K\r";
  size_t column = strlen(prompt) + view.cursor;
  if (column > 0) output += "\x1b[" + std::to_string(column) + "C";
  fwrite(output.data(), 1, output.size(), stdout);
  fflush(stdout);
}

bool LineEditor::readEdited(const char *prompt, std::string &line) {
  RawMode raw;
  LineBuffer buffer;
  recalled = history.size();
  redraw = [&] { draw(prompt, buffer); };
  for (;;) {
    // What is typed ahead is drawn once.
    if (pendingInput.empty()) draw(prompt, buffer);
    Key key = readKey(buffer);
    if (key == Key::None) continue;
    draw(prompt, buffer);
    fputs("\r\n", stdout);
    fflush(stdout);
    line = buffer.text();
    if (key == Key::End) return false;
    if (!line.empty() && (history.empty() || history.back() != line))
      history.push_back(line);
    if (history.size() > kHistory) history.erase(history.begin());
    return true;
  }
}

}  // namespace gemma
