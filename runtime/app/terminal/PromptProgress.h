// SPDX-License-Identifier: Apache-2.0
// PromptProgress: one line on stderr while a long prompt is read, erased when
// the answer begins. Only on a terminal, and only for what takes a while.
#ifndef GEMMA_RUNTIME_APP_TERMINAL_PROMPTPROGRESS_H
#define GEMMA_RUNTIME_APP_TERMINAL_PROMPTPROGRESS_H

#include <cstdint>

namespace gemma {

class PromptProgress {
 public:
  PromptProgress();
  ~PromptProgress() { clear(); }
  PromptProgress(const PromptProgress &) = delete;
  PromptProgress &operator=(const PromptProgress &) = delete;

  // `done` of `total` tokens are in the cache.
  void show(int64_t done, int64_t total);
  void clear();

 private:
  bool terminal;
  bool shown = false;
  double start;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_TERMINAL_PROMPTPROGRESS_H
