// SPDX-License-Identifier: Apache-2.0
// Progress lines. See Progress.h.
#include "compiler/output/Progress.h"

#include "llvm/Support/Format.h"

using namespace llvm;

namespace gemmac::output {

namespace {
using namespace std::chrono_literals;
// Often enough to look alive; rare enough to cost and fill nothing.
constexpr auto kTerminalInterval = 100ms;
constexpr auto kPlainInterval = 5s;
}  // namespace

Progress::Progress(raw_ostream &stream, bool isTerminal, bool isQuiet)
    : stream(stream), isTerminal(isTerminal), isQuiet(isQuiet) {}

void Progress::phase(StringRef name) {
  std::lock_guard<std::mutex> lock(mutex);
  current = name.str();
  phaseStart = Clock::now();
  show(current);
}

void Progress::weights(size_t tensors, size_t tensorCount, uint64_t bytes,
                       uint64_t byteCount) {
  if (isQuiet) return;
  std::lock_guard<std::mutex> lock(mutex);
  Clock::time_point now = Clock::now();
  if (now - lastShown < (isTerminal ? Clock::duration(kTerminalInterval)
                                    : Clock::duration(kPlainInterval)))
    return;
  std::string text;
  raw_string_ostream line(text);
  constexpr double kGib = double(1 << 30);
  line << current << ": tensors " << tensors << "/" << tensorCount
       << format(", %.2f of %.2f GiB", bytes / kGib, byteCount / kGib);
  std::chrono::duration<double> elapsed = now - phaseStart;
  if (bytes > 0 && byteCount >= bytes)
    line << format(", %.0f s left",
                   elapsed.count() * double(byteCount - bytes) / double(bytes));
  show(text);
}

void Progress::show(const std::string &text) {
  if (isQuiet) return;
  lastShown = Clock::now();
  if (isTerminal) {
    stream << "\r\x1b[K" << text;
    hasLine = true;
  } else {
    stream << text << "\n";
  }
  stream.flush();
}

void Progress::finish(StringRef line) {
  clearLine();
  std::lock_guard<std::mutex> lock(mutex);
  if (isQuiet) return;
  stream << line << "\n";
  stream.flush();
}

void Progress::clearLine() {
  std::lock_guard<std::mutex> lock(mutex);
  if (!hasLine) return;
  stream << "\r\x1b[K";
  stream.flush();
  hasLine = false;
}

}  // namespace gemmac::output
