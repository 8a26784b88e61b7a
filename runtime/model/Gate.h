// SPDX-License-Identifier: Apache-2.0
// Gate: a counter that threads wait on to change, by spinning a bounded time,
// then yielding, then parking on a futex. open() costs no system call when
// nobody is parked. The building block of the pool's barrier; nothing else.
#ifndef GEMMA_RUNTIME_MODEL_GATE_H
#define GEMMA_RUNTIME_MODEL_GATE_H

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace gemma {

// Two lines: the neighbour's prefetcher takes lines in pairs.
inline constexpr int kLineBytes = 128;

inline void pauseSpinning() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

class alignas(kLineBytes) Gate {
 public:
  uint32_t value() const { return count.load(std::memory_order_acquire); }

  // Releases everything that the caller wrote to whoever waits.
  void open() {
    // Sequentially consistent, as the load of `parked` must not come before.
    count.fetch_add(1, std::memory_order_seq_cst);
    if (parked.load(std::memory_order_seq_cst) != 0)
      syscall(SYS_futex, &count, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr,
              0);
  }

  // Returns once value() is not `old`.
  void waitWhile(uint32_t old, int spins) {
    for (int i = 0; i < spins; ++i) {
      if (value() != old) return;
      pauseSpinning();
    }
    // A partner that was preempted gets this processor.
    for (int i = 0; i < kYields; ++i) {
      if (value() != old) return;
      sched_yield();
    }
    while (value() == old) {
      parked.fetch_add(1, std::memory_order_seq_cst);
      // The kernel compares again, so an open() in between is not missed.
      syscall(SYS_futex, &count, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
      parked.fetch_sub(1, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr int kYields = 16;
  static_assert(sizeof(std::atomic<uint32_t>) == 4, "a futex is 32 bits");

  std::atomic<uint32_t> count{0};
  std::atomic<uint32_t> parked{0};
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_GATE_H
