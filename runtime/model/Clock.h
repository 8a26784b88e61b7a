// SPDX-License-Identifier: Apache-2.0
// The runtime's one clock: it never goes back, and its beginning means nothing.
#ifndef GEMMA_RUNTIME_MODEL_CLOCK_H
#define GEMMA_RUNTIME_MODEL_CLOCK_H

#include <time.h>

#include <cstdint>

namespace gemma {

inline int64_t monotonicNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline double monotonicSeconds() {
  return 1e-9 * static_cast<double>(monotonicNanoseconds());
}

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_CLOCK_H
