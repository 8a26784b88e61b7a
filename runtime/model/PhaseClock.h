// SPDX-License-Identifier: Apache-2.0
// When each phase of one call ended, by whichever thread ended it; a phase
// lasts from the end of the one before. Slots are made before the call, so that
// stamping allocates nothing.
#ifndef GEMMA_RUNTIME_MODEL_PHASE_CLOCK_H
#define GEMMA_RUNTIME_MODEL_PHASE_CLOCK_H

#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/model/Clock.h"

namespace gemma {

class PhaseClock {
 public:
  explicit PhaseClock(size_t phases) : ends(phases) {}

  // No call runs meanwhile.
  void start() {
    for (auto &end : ends) end.store(0, std::memory_order_relaxed);
    excess.store(false, std::memory_order_relaxed);
    begin = monotonicNanoseconds();
  }

  // From any thread, before others can see that the phase is over. Where all
  // threads find a phase without tiles, the first counts.
  void stamp(size_t phase) {
    if (phase >= ends.size())
      return excess.store(true, std::memory_order_relaxed);
    int64_t unset = 0;
    ends[phase].compare_exchange_strong(unset, monotonicNanoseconds(),
                                        std::memory_order_relaxed);
  }

  // After the call. False: it had more phases or fewer than there are slots.
  bool isComplete() const {
    return !excess.load(std::memory_order_relaxed) &&
           (ends.empty() || ends.back().load(std::memory_order_relaxed) != 0);
  }
  size_t size() const { return ends.size(); }
  double seconds(size_t phase) const {
    int64_t from =
        phase == 0 ? begin : ends[phase - 1].load(std::memory_order_relaxed);
    return static_cast<double>(ends[phase].load(std::memory_order_relaxed) -
                               from) *
           1e-9;
  }

 private:
  std::vector<std::atomic<int64_t>> ends;
  std::atomic<bool> excess{false};
  int64_t begin = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_PHASE_CLOCK_H
