// SPDX-License-Identifier: Apache-2.0
// ThreadPool: SPMD threads for the step functions. The caller is thread 0; the
// others park on a futex between calls. Within a call, gemma_next_tile hands a
// thread the tiles of its share of a phase and then what it can steal of
// others', and gemma_phase_end waits, spinning and then parked, until all tiles
// are done; it waits for no thread that has none. Which thread gets which tile
// changes no result. It does not pin threads.
#ifndef GEMMA_RUNTIME_MODEL_THREAD_POOL_H
#define GEMMA_RUNTIME_MODEL_THREAD_POOL_H

#include <memory>

#include "runtime/include/gemma/ModelAbi.h"
#include "runtime/model/Status.h"

namespace gemma {

// Threads that this process may keep busy: the affinity mask, cut by a cgroup's
// CPU quota (rounded up). At least 1.
int defaultThreadCount();

class PhaseClock;

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 512;

  ThreadPool();
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  // Starts threads - 1 workers, once; `threads` in [1, kMaxThreads].
  Status start(int threads);
  int threadCount() const;

  // Runs `work(context, thread)` on every thread and returns when all did. Each
  // thread rounds to nearest and keeps denormals meanwhile, whatever the
  // caller's MXCSR says. One call at a time.
  using Work = void (*)(void *context, int thread);
  void run(Work work, void *context);

  // Runs a step function; sets `phase` and `threads` of `step`. Returns when
  // its tiles are done and no thread runs it any more.
  void run(gemma_step_function function, gemma_step &step);

  // The phases of calls from now on stamp `clock`, which outlives them; null:
  // none does.
  void timePhases(PhaseClock *clock);

 private:
  struct State;
  std::unique_ptr<State> state;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_THREAD_POOL_H
