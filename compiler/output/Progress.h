// SPDX-License-Identifier: Apache-2.0
// What a build is doing, on stderr: one line that rewrites itself on a
// terminal, plain lines elsewhere, nothing when quiet. Any thread may report.
#ifndef GEMMAC_COMPILER_OUTPUT_PROGRESS_H
#define GEMMAC_COMPILER_OUTPUT_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace gemmac::output {

class Progress {
 public:
  // Whether the stream is a terminal decides the form.
  Progress(llvm::raw_ostream &stream, bool isTerminal, bool isQuiet);
  ~Progress() { clearLine(); }

  // A new phase begins: "importing", "linking".
  void phase(llvm::StringRef name);
  // Within the phase: so many tensors and bytes are done.
  void weights(size_t tensors, size_t tensorCount, uint64_t bytes,
               uint64_t byteCount);
  // The last line of the work. It stays, on a terminal as well.
  void finish(llvm::StringRef line);
  // Ends the rewriting line, so that other text may follow.
  void clearLine();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string &text);

  llvm::raw_ostream &stream;
  bool isTerminal;
  bool isQuiet;
  std::mutex mutex;
  std::string current;
  Clock::time_point phaseStart;
  Clock::time_point lastShown;
  bool hasLine = false;
};

}  // namespace gemmac::output

#endif
