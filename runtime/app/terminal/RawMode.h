// SPDX-License-Identifier: Apache-2.0
// RawMode: while it lives, the terminal at standard input gives keys as they
// are typed and shows none of them. It leaves the terminal as it was, also
// where SIGTERM or SIGHUP ends the program. One at a time.
#ifndef GEMMA_RUNTIME_APP_TERMINAL_RAWMODE_H
#define GEMMA_RUNTIME_APP_TERMINAL_RAWMODE_H

#include <signal.h>

namespace gemma {

class RawMode {
 public:
  RawMode();
  ~RawMode();
  RawMode(const RawMode &) = delete;
  RawMode &operator=(const RawMode &) = delete;

  enum class Event { Input, Resized, Nothing };

  // Waits for input (or its end) or for a change of the window's size,
  // whichever thread the system tells of it; -1: without a limit.
  static Event wait(int milliseconds);

 private:
  struct sigaction savedTerminate, savedHangUp, savedResize;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_TERMINAL_RAWMODE_H
