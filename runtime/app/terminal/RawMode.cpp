// SPDX-License-Identifier: Apache-2.0
// Termios and signals. What a handler reads is set before it is installed.
#include "runtime/app/terminal/RawMode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

namespace gemma {
namespace {

termios saved;
bool isTerminal = false;
// A byte in it wakes who waits: a flag alone would be missed between a look at
// it and the wait, and where another thread takes the signal.
int resized[2] = {-1, -1};

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

void noteResize(int) {
  int error = errno;
  if (write(resized[1], "", 1) < 0) errno = error;  // full: it is known
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
  // Once: a handler may still write where it would be closed.
  if (resized[0] < 0 && pipe2(resized, O_CLOEXEC | O_NONBLOCK) != 0)
    resized[0] = -1;
  int once = static_cast<int>(SA_RESETHAND);
  handle(SIGTERM, restoreAndEnd, once, savedTerminate);
  handle(SIGHUP, restoreAndEnd, once, savedHangUp);
  handle(SIGWINCH, noteResize, SA_RESTART, savedResize);
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

RawMode::Event RawMode::wait(int milliseconds) {
  // poll passes over a negative file.
  pollfd files[] = {{resized[0], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  int count;
  do count = poll(files, 2, milliseconds);
  while (count < 0 && errno == EINTR);
  if (count == 0) return Event::Nothing;
  char bytes[64];
  if (files[0].revents != 0 && read(resized[0], bytes, sizeof(bytes)) > 0)
    return Event::Resized;
  return Event::Input;
}

}  // namespace gemma
