// The pool, the phase state behind gemma_next_tile and gemma_phase_end, and the
// float environment of each step. Measured barrier: 40-60 ns while all threads
// run; futex wake-up: 4.3 us. Does not know what the tiles compute.
#include "runtime/model/ThreadPool.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/model/Gate.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

// About 40 us of pauses on Zen 3, 100 us on Skylake: longer than a phase's
// unevenness, shorter than a scheduler's slice.
constexpr int kSpins = 4000;
// More threads than processors: a waiter only keeps its partner from running.
constexpr int kSpinsOversubscribed = 40;

// Claims a thread makes of the undealt half, about: few enough to cost nothing,
// many enough that the last one is short.
constexpr int64_t kClaimsPerThread = 8;

// One thread's place in the current phase.
struct alignas(gemma::kLineBytes) Cursor {
  int64_t next = 0;
  int64_t end = 0;
  bool dealt = false;
};

}  // namespace

struct gemma_phase_state {
  // Tiles claimed of the undealt rest; reset by the last at the barrier.
  alignas(gemma::kLineBytes) std::atomic<int64_t> claimed{0};
  alignas(gemma::kLineBytes) std::atomic<int32_t> arrived{0};
  gemma::Gate barrier;
  int spins = kSpins;
  std::vector<Cursor> cursors;
};

namespace {

// The slow half of gemma_next_tile: this thread's run is used up.
int64_t nextRun(gemma_phase_state &phase, Cursor &cursor, int64_t threads,
                int64_t thread, int64_t tiles) {
  // A whole number of tiles each; with few tiles all are claimed.
  int64_t each = tiles / 2 / threads;
  int64_t dealt = each * threads;
  if (!cursor.dealt) {
    cursor.dealt = true;
    if (each > 0) {
      cursor.next = each * thread + 1;
      cursor.end = each * (thread + 1);
      return each * thread;
    }
  }
  int64_t chunk =
      std::max<int64_t>(1, (tiles - dealt) / (threads * kClaimsPerThread));
  int64_t first =
      dealt + phase.claimed.fetch_add(chunk, std::memory_order_relaxed);
  if (first >= tiles) return tiles;
  cursor.next = first + 1;
  cursor.end = std::min(first + chunk, tiles);
  return first;
}

}  // namespace

extern "C" int64_t gemma_next_tile(const gemma_step *step, int32_t thread,
                                   int64_t tiles) {
  gemma_phase_state &phase = *step->phase;
  Cursor &cursor = phase.cursors[thread];
  if (cursor.next < cursor.end) return cursor.next++;
  if (step->threads > 1)
    return nextRun(phase, cursor, step->threads, thread, tiles);
  if (cursor.dealt || tiles <= 0) return tiles;
  cursor.dealt = true;
  cursor.next = 1;
  cursor.end = tiles;
  return 0;
}

extern "C" void gemma_phase_end(const gemma_step *step, int32_t thread) {
  gemma_phase_state &phase = *step->phase;
  phase.cursors[thread] = Cursor();
  int32_t threads = step->threads;
  if (threads == 1) return;
  uint32_t generation = phase.barrier.value();
  int32_t before = phase.arrived.fetch_add(1, std::memory_order_acq_rel);
  if (before + 1 < threads) {
    phase.barrier.waitWhile(generation, phase.spins);
    return;
  }
  // Nobody claims or arrives again before the gate opens.
  phase.claimed.store(0, std::memory_order_relaxed);
  phase.arrived.store(0, std::memory_order_relaxed);
  phase.barrier.open();
}

namespace gemma {
namespace {

// Round to nearest, exceptions masked, no flush to zero; restored at the end:
// the host program may have set its own.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() : saved(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~FloatEnvironment() { _mm_setcsr(saved); }

 private:
  unsigned saved;
#elif defined(__aarch64__)
  FloatEnvironment() {
    uint64_t standard = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(standard));
  }
  ~FloatEnvironment() { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }

 private:
  uint64_t saved;
#endif
};

}  // namespace

struct ThreadPool::State {
  gemma_phase_state phase;
  Gate begin;
  Gate done;
  alignas(kLineBytes) std::atomic<int32_t> finished{0};
  Work work = nullptr;
  void *context = nullptr;
  bool stopping = false;
  std::vector<std::thread> workers;

  void serve(int thread) {
    for (uint32_t seen = 0;; ++seen) {
      begin.waitWhile(seen, phase.spins);
      if (stopping) return;
      {
        FloatEnvironment environment;
        work(context, thread);
      }
      auto workerCount = static_cast<int32_t>(workers.size());
      if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 == workerCount)
        done.open();
    }
  }

  void stop() {
    stopping = true;
    begin.open();
    for (std::thread &worker : workers) worker.join();
    workers.clear();
  }
};

ThreadPool::ThreadPool() : state(std::make_unique<State>()) {
  state->phase.cursors.resize(1);
}

ThreadPool::~ThreadPool() { state->stop(); }

Status ThreadPool::start(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    return Status::error("expected 1 to " + std::to_string(kMaxThreads) +
                         " threads, found " + std::to_string(threads));
  if (!state->workers.empty()) return Status::error("threads already run");
  state->phase.cursors.resize(threads);
  if (threads > defaultThreadCount()) state->phase.spins = kSpinsOversubscribed;
  // The vector must not move or grow under a worker that reads its size: they
  // read it only in a call, and none is made before all have started.
  try {
    for (int i = 1; i < threads; ++i)
      state->workers.emplace_back([this, i] { state->serve(i); });
  } catch (const std::system_error &) {
    state->stop();
    state = std::make_unique<State>();
    state->phase.cursors.resize(1);
    return Status::error("cannot start " + std::to_string(threads) +
                         " threads");
  }
  return {};
}

int ThreadPool::threadCount() const {
  return static_cast<int>(state->workers.size()) + 1;
}

void ThreadPool::run(Work work, void *context) {
  if (state->workers.empty()) {
    FloatEnvironment environment;
    work(context, 0);
    return;
  }
  state->work = work;
  state->context = context;
  state->finished.store(0, std::memory_order_relaxed);
  uint32_t seen = state->done.value();
  state->begin.open();
  {
    FloatEnvironment environment;
    work(context, 0);
  }
  // The workers may still read what `context` points to.
  state->done.waitWhile(seen, state->phase.spins);
}

void ThreadPool::run(gemma_step_function function, gemma_step &step) {
  struct Call {
    gemma_step_function function;
    const gemma_step *step;
  } call{function, &step};
  step.phase = &state->phase;
  step.threads = threadCount();
  run(
      [](void *context, int thread) {
        const Call &call = *static_cast<Call *>(context);
        call.function(call.step, thread);
      },
      &call);
}

}  // namespace gemma
