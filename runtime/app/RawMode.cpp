// Termios and signals. What a handler reads is set before it is installed.
#include "runtime/app/RawMode.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

namespace gemma {
namespace {

termios saved;
bool isTerminal = false;
volatile sig_atomic_t resized = 0;

// Bracketed paste: the terminal then marks what is pasted.
void setBracketedPaste(bool on) {
  const char *sequence = on ? "\x1b[?2004h" : "\x1b[?2004l";
  if (write(STDOUT_FILENO, sequence, strlen(sequence)) < 0) return;
}

// SIGTERM and SIGHUP, whose default comes back with the handler's start.
void restoreAndEnd(int signal) {
  setBracketedPaste(false);
  tcsetattr(STDIN_FILENO, TCSANOW, &saved);
  raise(signal);
}

void handle(int signal, void (*handler)(int), int flags,
            struct sigaction &before) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, &before);
}

}  // namespace

RawMode::RawMode() {
  isTerminal = tcgetattr(STDIN_FILENO, &saved) == 0;
  if (!isTerminal) return;
  int once = static_cast<int>(SA_RESETHAND);
  handle(SIGTERM, restoreAndEnd, once, savedTerminate);
  handle(SIGHUP, restoreAndEnd, once, savedHangUp);
  // No SA_RESTART: the read is to end.
  handle(SIGWINCH, [](int) { resized = 1; }, 0, savedResize);
  termios raw = saved;
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  setBracketedPaste(true);
}

RawMode::~RawMode() {
  if (!isTerminal) return;
  setBracketedPaste(false);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
  sigaction(SIGWINCH, &savedResize, nullptr);
  sigaction(SIGHUP, &savedHangUp, nullptr);
  sigaction(SIGTERM, &savedTerminate, nullptr);
}

bool RawMode::takeResized() {
  bool result = resized != 0;
  resized = 0;
  return result;
}

}  // namespace gemma
