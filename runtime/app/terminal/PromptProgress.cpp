// SPDX-License-Identifier: Apache-2.0
// Drawing of the line, short enough for any terminal.
#include "runtime/app/terminal/PromptProgress.h"

#include <stdio.h>
#include <unistd.h>

#include "runtime/model/Clock.h"

namespace gemma {

// Shorter waits pass without a word.
constexpr double kQuietSeconds = 0.3;

PromptProgress::PromptProgress()
    : terminal(isatty(STDERR_FILENO) == 1), start(monotonicSeconds()) {}

void PromptProgress::show(int64_t done, int64_t total) {
  if (done >= total) return clear();
  if (!terminal || monotonicSeconds() - start < kQuietSeconds) return;
  fflush(stdout);
  fprintf(stderr, "\r\x1b[Kreading %lld/%lld", static_cast<long long>(done),
          static_cast<long long>(total));
  fflush(stderr);
  shown = true;
}

void PromptProgress::clear() {
  if (!shown) return;
  fputs("\r\x1b[K", stderr);
  fflush(stderr);
  shown = false;
}

}  // namespace gemma
