// SPDX-License-Identifier: Apache-2.0
// The pool, the phase state behind gemma_next_tile and gemma_phase_end, and the
// float environment of each step. A phase ends when its tiles are done, not
// when all threads arrive: a thread that was preempted between tiles is not
// waited for, and catches up by asking for tiles that are long gone. Measured
// barrier: 40-60 ns while all threads run; futex wake-up: 4.3 us. Does not know
// what the tiles compute.
#include "runtime/model/ThreadPool.h"

#include <cassert>
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

// A thread's tiles of a phase, [next, end), in one word, so that another thread
// can take of its back while it takes of its front. 25 bits hold the tiles of
// 8 rows, 32 kv heads and 2^17 blocks of attention. 14 bits of the phase's
// number are enough: a call has fewer phases, and begins with fresh shares.
class Share {
 public:
  static constexpr uint32_t kMost = (1 << 25) - 1;

  Share(uint32_t phase, uint32_t next, uint32_t end)
      : word(uint64_t{phase} << 50 | uint64_t{next} << 25 | end) {
    assert(next <= end && end <= kMost);
  }
  explicit Share(uint64_t word) : word(word) {}

  uint32_t next() const { return word >> 25 & kMost; }
  uint32_t end() const { return word & kMost; }
  uint32_t count() const { return end() - next(); }
  // Whether it belongs to `phase`, or to one before or after it.
  bool isOf(uint32_t phase) const { return distance(phase) == 0; }
  bool isBefore(uint32_t phase) const { return distance(phase) < 0; }
  bool isAfter(uint32_t phase) const { return distance(phase) > 0; }

  uint64_t word;

 private:
  // Its 14 bits at the top of 16, so that they wrap as a number's do.
  int16_t distance(uint32_t phase) const {
    return static_cast<int16_t>(((word >> 50) - phase) << 2);
  }
};

// One thread's place.
struct alignas(gemma::kLineBytes) Cursor {
  std::atomic<uint64_t> share{0};
  // Its own.
  uint32_t phase = 0;
  uint32_t tiles = 0;       // of the phase; 0 until asked for
  uint32_t unreported = 0;  // tiles that it took and `completed` lacks
  bool isDone = false;      // it was told that there are no more

  void enter(uint32_t number) {
    phase = number;
    tiles = unreported = 0;
    isDone = false;
  }

  // The first tile of its share; `tiles` when it has none, or the phase is over
  // and thieves have begun it for a later one.
  uint32_t take() {
    uint64_t seen = share.load(std::memory_order_acquire);
    for (;;) {
      Share left(seen);
      if (!left.isOf(phase) || left.count() == 0) return tiles;
      if (!share.compare_exchange_weak(
              seen, Share(phase, left.next() + 1, left.end()).word,
              std::memory_order_acq_rel))
        continue;
      ++unreported;
      return left.next();
    }
  }
};

}  // namespace

struct gemma_phase_state {
  alignas(gemma::kLineBytes) std::atomic<uint32_t> current{0};  // the phase
  alignas(gemma::kLineBytes) std::atomic<uint32_t> completed{0};
  gemma::Gate barrier;
  int spins = kSpins;
  std::vector<Cursor> cursors{1};
  // Null but while phases are timed; the first of the call's phases.
  gemma::PhaseClock *clock = nullptr;
  uint32_t firstPhase = 0;

  // Before `current` says that the phase is over, so that who sees that sees
  // the time as well.
  void stamp(uint32_t phase) {
    if (clock != nullptr) [[unlikely]]
      clock->stamp(phase - firstPhase);
  }

  // The phase's last tile is done. Nobody begins the next before `current`
  // changes.
  void advance(uint32_t phase) {
    stamp(phase);
    completed.store(0, std::memory_order_relaxed);
    current.store(phase + 1, std::memory_order_release);
    barrier.open();
  }

  // Says that what `cursor` took is done.
  void report(Cursor &cursor) {
    uint32_t count = cursor.unreported;
    if (count == 0) return;
    cursor.unreported = 0;
    uint32_t before = completed.fetch_add(count, std::memory_order_acq_rel);
    assert(before + count <= cursor.tiles);
    if (before + count == cursor.tiles) advance(cursor.phase);
  }

  // What `thread` begins a phase with: neighbours in memory, as one stream is
  // read faster than many.
  Share startOf(const Cursor &of, uint32_t thread) const {
    uint64_t threads = cursors.size(), tiles = of.tiles;
    return {of.phase, static_cast<uint32_t>(thread * tiles / threads),
            static_cast<uint32_t>((thread + 1) * tiles / threads)};
  }

  // The first time that a thread asks in a phase: takes up its share, unless
  // thieves have done so.
  void begin(Cursor &cursor, uint32_t thread) {
    uint64_t seen = cursor.share.load(std::memory_order_acquire);
    while (Share(seen).isBefore(cursor.phase) &&
           !cursor.share.compare_exchange_weak(
               seen, startOf(cursor, thread).word, std::memory_order_acq_rel)) {
    }
  }

  // Takes the back half of what another thread has left, also of one that has
  // not come yet, and of that the first tile. `tiles` when nothing is left.
  uint32_t steal(Cursor &thief, uint32_t thread) {
    auto threads = static_cast<uint32_t>(cursors.size());
    for (uint32_t i = 1; i < threads; ++i) {
      uint32_t from = (thread + i) % threads;
      std::atomic<uint64_t> &share = cursors[from].share;
      uint64_t seen = share.load(std::memory_order_acquire);
      for (;;) {
        Share left(seen);
        if (left.isAfter(thief.phase)) return thief.tiles;
        if (left.isBefore(thief.phase)) left = startOf(thief, from);
        if (left.count() == 0) break;
        uint32_t middle = left.end() - (left.count() + 1) / 2;
        Share rest(thief.phase, left.next(), middle);
        if (!share.compare_exchange_weak(seen, rest.word,
                                         std::memory_order_acq_rel))
          continue;
        // Nobody else writes an empty share.
        thief.share.store(Share(thief.phase, middle + 1, left.end()).word,
                          std::memory_order_release);
        ++thief.unreported;
        return middle;
      }
    }
    return thief.tiles;
  }

  uint32_t nextTile(Cursor &cursor, uint32_t thread, uint32_t tiles) {
    // All threads ask for the same number, each time.
    assert(cursor.tiles == 0 || cursor.tiles == tiles);
    if (cursor.isDone) return tiles;
    if (cursor.tiles == 0) {
      cursor.tiles = tiles;
      begin(cursor, thread);
    }
    uint32_t tile = cursor.take();
    if (tile < tiles) return tile;
    report(cursor);
    tile = steal(cursor, thread);
    cursor.isDone = tile == tiles;
    return tile;
  }

  void waitForPhase(uint32_t phase) {
    for (;;) {
      uint32_t seen = barrier.value();
      if (current.load(std::memory_order_acquire) != phase) return;
      barrier.waitWhile(seen, spins);
    }
  }
};

extern "C" int64_t gemma_next_tile(const gemma_step *step, int32_t thread,
                                   int64_t tiles) {
  assert(thread >= 0 && thread < step->threads);
  assert(tiles >= 0 && tiles <= int64_t{Share::kMost});
  gemma_phase_state &phase = *step->phase;
  Cursor &cursor = phase.cursors[thread];
  if (step->threads > 1)
    return phase.nextTile(cursor, static_cast<uint32_t>(thread),
                          static_cast<uint32_t>(tiles));
  return cursor.unreported < tiles ? cursor.unreported++ : tiles;
}

extern "C" void gemma_phase_end(const gemma_step *step, int32_t thread) {
  gemma_phase_state &phase = *step->phase;
  Cursor &cursor = phase.cursors[thread];
  uint32_t mine = cursor.phase;
  if (step->threads > 1) {
    // Who began a phase asks until there is no tile left.
    assert(cursor.tiles == 0 || cursor.isDone);
    // Nothing to do: whoever says so first ends it.
    if (cursor.tiles == 0) {
      phase.stamp(mine);
      uint32_t untouched = mine;
      if (phase.current.compare_exchange_strong(untouched, mine + 1,
                                                std::memory_order_acq_rel))
        phase.barrier.open();
    }
    phase.waitForPhase(mine);
  } else {
    phase.stamp(mine);
  }
  cursor.enter(mine + 1);
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

ThreadPool::ThreadPool() : state(std::make_unique<State>()) {}

ThreadPool::~ThreadPool() { state->stop(); }

Status ThreadPool::start(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    return Status(Code::InvalidInput,
                  "expected 1 to " + std::to_string(kMaxThreads) +
                      " threads, found " + std::to_string(threads));
  if (!state->workers.empty())
    return Status(Code::InvalidInput, "threads already run");
  state->phase.cursors = std::vector<Cursor>(threads);
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
    return Status(Code::OutOfMemory,
                  "cannot start " + std::to_string(threads) + " threads");
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
  } call{function, &step, state.get(), state->phase.current.load()};
  state->phase.firstPhase = call.phase;
  for (Cursor &cursor : state->phase.cursors)
    cursor.share = Share(call.phase - 1, 0, 0).word;
  step.phase = &state->phase;
  step.threads = threadCount();
  auto work = [](void *context, int thread) {
    const Call &call = *static_cast<Call *>(context);
    call.state->phase.cursors[thread].enter(call.phase);
    call.function(call.step, thread);
  };
  if (step.threads == 1) return run(work, &call);
  state->call(work, &call, /*everybody=*/false);
}

}  // namespace gemma
