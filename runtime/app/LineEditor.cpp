// Raw mode, keys and drawing. The line is drawn on one row and scrolls sideways
// when it is longer, so nothing depends on how a terminal wraps. Escape
// sequences: ECMA-48 and xterm's keys.
#include "runtime/app/LineEditor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace gemma {
namespace {

constexpr size_t kHistory = 500;

bool isContinuation(char byte) { return (byte & 0xC0) == 0x80; }

constexpr char control(char letter) { return letter & 0x1F; }

// Raw mode for as long as it lives.
class RawMode {
 public:
  RawMode() {
    active = tcgetattr(STDIN_FILENO, &saved) == 0;
    if (!active) return;
    termios raw = saved;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  ~RawMode() {
    if (active) tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
  }

 private:
  termios saved;
  bool active;
};

uint32_t codePoint(std::string_view bytes) {
  auto lead = static_cast<unsigned char>(bytes[0]);
  uint32_t value = bytes.size() == 1   ? lead
                   : bytes.size() == 2 ? lead & 0x1F
                   : bytes.size() == 3 ? lead & 0x0F
                                       : lead & 0x07;
  for (char byte : bytes.substr(1)) value = value << 6 | (byte & 0x3F);
  return value;
}

// A good approximation of Unicode's East Asian Width: CJK and emoji are wide,
// combining marks and joiners take no column.
size_t width(uint32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) ||
      (c >= 0xFE00 && c <= 0xFE0F))
    return 0;
  bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
              (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
              (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
              (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
              (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

size_t terminalColumns() {
  winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
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

size_t LineBuffer::columns(size_t bytes) const {
  size_t count = 0;
  for (size_t i = 0; i < bytes;) {
    size_t next = after(i);
    count += width(codePoint(std::string_view(line).substr(i, next - i)));
    i = next;
  }
  return count;
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

bool LineEditor::readByte(char &byte) {
  for (;;) {
    ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count == 1) return true;
    if (count < 0 && errno == EINTR) continue;
    return false;
  }
}

void LineEditor::recall(LineBuffer &buffer, int step) {
  size_t to = recalled + step;
  if ((step < 0 && recalled == 0) || to > history.size()) return;
  if (recalled == history.size()) unfinished = buffer.text();
  recalled = to;
  buffer.set(to == history.size() ? unfinished : history[to]);
}

void LineEditor::handleEscape(LineBuffer &buffer) {
  char first = 0, key = 0;
  if (!readByte(first) || (first != '[' && first != 'O') || !readByte(key))
    return;
  // Parameters, as in "3~" (Delete) or "1;5D" (Ctrl-Left), before the last.
  char digit = key;
  while ((key >= '0' && key <= '9') || key == ';')
    if (!readByte(key)) return;
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
      if (digit == '3') buffer.erase();
      if (digit == '1' || digit == '7') buffer.home();
      if (digit == '4' || digit == '8') buffer.end();
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
    bytes += next;
    if (!isContinuation(next)) break;
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
  const std::string &text = buffer.text();
  size_t room = terminalColumns() - strlen(prompt) - 1;
  // Characters from the left go until the cursor is in sight.
  size_t from = 0;
  size_t cursor = buffer.columns(buffer.cursor());
  while (cursor - buffer.columns(from) > room && from < buffer.cursor()) {
    ++from;
    while (from < text.size() && isContinuation(text[from])) ++from;
  }
  size_t to = text.size();
  while (to > buffer.cursor() &&
         buffer.columns(to) - buffer.columns(from) > room)
    --to;
  while (to < text.size() && to > from && isContinuation(text[to])) --to;
  std::string output =
      "\r" + std::string(prompt) + text.substr(from, to - from) + "\x1b[K\r";
  size_t column = strlen(prompt) + cursor - buffer.columns(from);
  if (column > 0) output += "\x1b[" + std::to_string(column) + "C";
  fwrite(output.data(), 1, output.size(), stdout);
  fflush(stdout);
}

bool LineEditor::readEdited(const char *prompt, std::string &line) {
  RawMode raw;
  LineBuffer buffer;
  recalled = history.size();
  for (;;) {
    draw(prompt, buffer);
    Key key = readKey(buffer);
    if (key == Key::None) continue;
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
