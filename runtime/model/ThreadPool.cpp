// The pool, the phase state behind gemma_next_tile and gemma_phase_end, and the
// float environment of each step. A phase ends when its tiles are done, not
// when all threads arrive: a thread that was preempted between tiles is not
// waited for, and catches up by asking for tiles that are long gone. Measured
// barrier: 40-60 ns while all threads run; futex wake-up: 4.3 us. Does not know
// what the tiles compute.
#include "runtime/model/ThreadPool.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/model/Gate.h"
#include "runtime/model/PhaseClock.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

// About 40 us of pauses on Zen 3, 100 us on Skylake: longer than a phase's
// unevenness, shorter than a scheduler's slice.
constexpr int kSpins = 4000;
// More threads than processors: a waiter only keeps its partner from running.
constexpr int kSpinsOversubscribed = 40;

// One thread's place: its phase, and the run of tiles that it has claimed.
struct alignas(gemma::kLineBytes) Cursor {
  uint32_t phase = 0;
  uint32_t next = 0;
  uint32_t end = 0;
  uint32_t unreported = 0;  // tiles of the run that `completed` lacks
  uint32_t tiles = 0;       // of the phase; 0 until asked for
};

// The phase in progress and its next unclaimed tile, in one word, so that a
// thread that lags behind cannot claim a tile of a later phase.
constexpr uint64_t ticketOf(uint32_t phase, uint32_t tile) {
  return uint64_t{phase} << 32 | tile;
}
constexpr uint32_t phaseOf(uint64_t ticket) {
  return static_cast<uint32_t>(ticket >> 32);
}

}  // namespace

struct gemma_phase_state {
  alignas(gemma::kLineBytes) std::atomic<uint64_t> ticket{0};
  alignas(gemma::kLineBytes) std::atomic<uint32_t> completed{0};
  gemma::Gate barrier;
  int spins = kSpins;
  std::vector<Cursor> cursors;
  // Null but while phases are timed; the first of the call's phases.
  gemma::PhaseClock *clock = nullptr;
  uint32_t firstPhase = 0;

  // Before the ticket says that the phase is over, so that who sees that sees
  // the time as well.
  void stamp(uint32_t phase) {
    if (clock != nullptr) [[unlikely]]
      clock->stamp(phase - firstPhase);
  }

  // The phase's last tile is done. Nobody claims before the ticket changes.
  void advance(uint32_t phase) {
    stamp(phase);
    completed.store(0, std::memory_order_relaxed);
    ticket.store(ticketOf(phase + 1, 0), std::memory_order_release);
    barrier.open();
  }

  // Says that the run of `cursor` is done.
  void report(Cursor &cursor) {
    uint32_t count = cursor.unreported;
    if (count == 0) return;
    cursor.unreported = 0;
    uint32_t before = completed.fetch_add(count, std::memory_order_acq_rel);
    if (before + count == cursor.tiles) advance(cursor.phase);
  }

  // The slow half of gemma_next_tile: claims the next run. Long runs first and
  // single tiles last (guided self-scheduling): about log(tiles) claims a
  // thread, and none of them waits long for a slower one's last.
  int64_t claim(Cursor &cursor, uint32_t threads) {
    uint64_t seen = ticket.load(std::memory_order_acquire);
    for (;;) {
      auto first = static_cast<uint32_t>(seen);
      if (phaseOf(seen) != cursor.phase || first >= cursor.tiles)
        return cursor.tiles;
      uint32_t run =
          std::max<uint32_t>(1, (cursor.tiles - first) / (2 * threads));
      if (!ticket.compare_exchange_weak(seen, seen + run,
                                        std::memory_order_acq_rel))
        continue;
      cursor.next = first + 1;
      cursor.end = first + run;
      cursor.unreported = run;
      return first;
    }
  }

  void waitForPhase(uint32_t phase) {
    for (;;) {
      uint32_t seen = barrier.value();
      if (phaseOf(ticket.load(std::memory_order_acquire)) != phase) return;
      barrier.waitWhile(seen, spins);
    }
  }
};

extern "C" int64_t gemma_next_tile(const gemma_step *step, int32_t thread,
                                   int64_t tiles) {
  gemma_phase_state &phase = *step->phase;
  Cursor &cursor = phase.cursors[thread];
  if (cursor.next < cursor.end) return cursor.next++;
  cursor.tiles = static_cast<uint32_t>(tiles);
  if (step->threads > 1) {
    phase.report(cursor);
    return phase.claim(cursor, static_cast<uint32_t>(step->threads));
  }
  if (cursor.unreported || tiles <= 0) return tiles;
  cursor.unreported = cursor.tiles;
  cursor.next = 1;
  cursor.end = cursor.tiles;
  return 0;
}

extern "C" void gemma_phase_end(const gemma_step *step, int32_t thread) {
  gemma_phase_state &phase = *step->phase;
  Cursor &cursor = phase.cursors[thread];
  uint32_t mine = cursor.phase;
  if (step->threads > 1) {
    // Nothing to do: whoever says so first ends it.
    if (cursor.tiles == 0) {
      phase.stamp(mine);
      uint64_t untouched = ticketOf(mine, 0);
      if (phase.ticket.compare_exchange_strong(untouched, ticketOf(mine + 1, 0),
                                               std::memory_order_acq_rel))
        phase.barrier.open();
    }
    phase.waitForPhase(mine);
  } else {
    phase.stamp(mine);
  }
  cursor = {};
  cursor.phase = mine + 1;
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

// Which calls a worker has taken, or was told to leave out; a call's number is
// the value of State::begin.
struct alignas(kLineBytes) Slot {
  std::atomic<uint32_t> last{0};

  // True for the one, worker or caller, that comes first.
  bool take(uint32_t call) {
    uint32_t found = last.load(std::memory_order_acquire);
    return static_cast<int32_t>(found - call) < 0 &&
           last.compare_exchange_strong(found, call, std::memory_order_acq_rel);
  }
};

struct ThreadPool::State {
  gemma_phase_state phase;
  Gate begin;
  Gate done;
  alignas(kLineBytes) std::atomic<int32_t> finished{0};
  Work work = nullptr;
  void *context = nullptr;
  // Atomic: a worker that a call left out may look at it at any time.
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
  std::vector<Slot> slots;  // of the workers

  bool finish() {
    return finished.fetch_add(1, std::memory_order_acq_rel) + 1 ==
           static_cast<int32_t>(workers.size());
  }

  void serve(int thread) {
    for (uint32_t call = 0;;) {
      begin.waitWhile(call, phase.spins);
      call = begin.value();
      if (stopping) return;
      if (!slots[thread - 1].take(call)) continue;
      {
        FloatEnvironment environment;
        work(context, thread);
      }
      if (finish()) done.open();
    }
  }

  // Thread 0's half of a call. Without `everybody` a worker that has not begun
  // when thread 0 is done, as it waits for a processor, need not begin.
  void call(Work given, void *argument, bool everybody) {
    work = given;
    context = argument;
    finished.store(0, std::memory_order_relaxed);
    uint32_t seen = done.value();
    begin.open();
    uint32_t number = begin.value();
    {
      FloatEnvironment environment;
      work(context, 0);
    }
    if (!everybody)
      for (Slot &slot : slots)
        if (slot.take(number) && finish()) return;
    // The workers may still read what `context` points to.
    done.waitWhile(seen, phase.spins);
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
  state->slots = std::vector<Slot>(threads - 1);
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

void ThreadPool::timePhases(PhaseClock *clock) { state->phase.clock = clock; }

void ThreadPool::run(Work work, void *context) {
  if (state->workers.empty()) {
    FloatEnvironment environment;
    work(context, 0);
    return;
  }
  state->call(work, context, /*everybody=*/true);
}

void ThreadPool::run(gemma_step_function function, gemma_step &step) {
  struct Call {
    gemma_step_function function;
    const gemma_step *step;
    State *state;
    uint32_t phase;  // the first
  } call{function, &step, state.get(), phaseOf(state->phase.ticket.load())};
  state->phase.firstPhase = call.phase;
  step.phase = &state->phase;
  step.threads = threadCount();
  auto work = [](void *context, int thread) {
    const Call &call = *static_cast<Call *>(context);
    call.state->phase.cursors[thread] = {};
    call.state->phase.cursors[thread].phase = call.phase;
    call.function(call.step, thread);
  };
  if (step.threads == 1) return run(work, &call);
  state->call(work, &call, /*everybody=*/false);
}

}  // namespace gemma
