// SPDX-License-Identifier: Apache-2.0
// Every tile exactly once per phase, phases in order, the float environment,
// and parking.
#include "runtime/model/ThreadPool.h"

#include <gtest/gtest.h>

#include "runtime/model/PhaseClock.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace gemma {
namespace {

constexpr int kPhases = 400;

// Reached from the step function, which carries no context of its own.
struct Record {
  std::vector<int64_t> tiles;  // of each phase
  // How often each tile of each phase was handed out; plain stores, so that a
  // barrier too weak shows in a thread sanitizer.
  std::vector<std::vector<int>> counts;
  std::vector<int64_t> sums;
  std::atomic<int> errors{0};
} *record;

void countTiles(const gemma_step *step, int32_t thread) {
  for (size_t phase = 0; phase < record->tiles.size(); ++phase) {
    int64_t tiles = record->tiles[phase], t;
    while ((t = gemma_next_tile(step, thread, tiles)) < tiles)
      ++record->counts[phase][t];
    // Asking again after the end must stay at the end.
    if (gemma_next_tile(step, thread, tiles) < tiles) ++record->errors;
    gemma_phase_end(step, thread);
    // All tiles of this phase are visible to every thread now.
    for (int64_t i = 0; i < tiles; ++i)
      if (record->counts[phase][i] != 1) ++record->errors;
    // Some phases share nothing and only meet.
    if (phase % 7 == 0) gemma_phase_end(step, thread);
  }
}

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, EachTileOnceInEachPhase) {
  Record all;
  record = &all;
  for (int i = 0; i < kPhases; ++i) {
    all.tiles.push_back(i < 40 ? i : (i * 37) % 301);
    all.counts.emplace_back(all.tiles.back(), 0);
  }
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()).ok());
  ASSERT_EQ(pool.threadCount(), GetParam());
  gemma_step step{};
  for (int call = 0; call < 3; ++call) {
    for (auto &counts : all.counts) std::fill(counts.begin(), counts.end(), 0);
    pool.run(countTiles, step);
    EXPECT_EQ(all.errors, 0) << "call " << call;
  }
}

// A thread that the system does not run must not hold up the others: here the
// last one sleeps, with no tile in hand, until the first has passed all phases.
std::atomic<bool> releaseLast;
std::atomic<int> phasesPassed;
void leaveTheLastBehind(const gemma_step *step, int32_t thread) {
  if (thread == step->threads - 1)
    while (!releaseLast) std::this_thread::yield();
  for (int phase = 0; phase < kPhases; ++phase) {
    int64_t tiles = phase % 5, t;
    while ((t = gemma_next_tile(step, thread, tiles)) < tiles)
      ++record->counts[phase][t];
    gemma_phase_end(step, thread);
    if (thread == 0) ++phasesPassed;
  }
  if (thread == 0) releaseLast = true;
}

TEST_P(ThreadPoolTest, WaitsForNoThreadWithoutATile) {
  if (GetParam() == 1) return;  // the first is the last
  Record all;
  record = &all;
  for (int i = 0; i < kPhases; ++i) all.counts.emplace_back(i % 5, 0);
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()).ok());
  gemma_step step{};
  for (int call = 1; call <= 3; ++call) {
    releaseLast = false;
    phasesPassed = 0;
    pool.run(leaveTheLastBehind, step);
    EXPECT_EQ(phasesPassed, kPhases);
    for (const auto &counts : all.counts)
      EXPECT_EQ(counts, std::vector<int>(counts.size(), call));
  }
}

TEST_P(ThreadPoolTest, WakesParkedWorkers) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()).ok());
  for (int call = 0; call < 4; ++call) {
    // Far longer than any spinning.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> ran{0};
    pool.run(
        [](void *context, int) { ++*static_cast<std::atomic<int> *>(context); },
        &ran);
    EXPECT_EQ(ran, GetParam());
  }
}

// The last tile of phase kLongPhase waits: whatever the load, that phase is the
// longest. Phases without a tile have a time as well.
constexpr int kTimedPhases = 24, kLongPhase = 10;
void waitInOnePhase(const gemma_step *step, int32_t thread) {
  for (int phase = 0; phase < kTimedPhases; ++phase) {
    int64_t tiles = phase % 3 == 0 ? 0 : phase, t;
    while ((t = gemma_next_tile(step, thread, tiles)) < tiles)
      if (phase == kLongPhase && t == tiles - 1)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gemma_phase_end(step, thread);
  }
}

TEST_P(ThreadPoolTest, TimesPhases) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()).ok());
  PhaseClock clock(kTimedPhases), more(kTimedPhases + 1),
      fewer(kTimedPhases - 1);
  gemma_step step{};
  pool.run(waitInOnePhase, step);  // untimed
  pool.timePhases(&clock);
  for (int call = 0; call < 2; ++call) {
    auto start = std::chrono::steady_clock::now();
    clock.start();
    pool.run(waitInOnePhase, step);
    std::chrono::duration<double> whole =
        std::chrono::steady_clock::now() - start;
    ASSERT_TRUE(clock.isComplete());
    double sum = 0;
    for (int phase = 0; phase < kTimedPhases; ++phase) {
      EXPECT_GE(clock.seconds(phase), 0) << phase;
      sum += clock.seconds(phase);
    }
    EXPECT_GE(clock.seconds(kLongPhase), 0.05);
    EXPECT_LE(sum, whole.count());
  }
  for (PhaseClock *wrong : {&more, &fewer}) {
    pool.timePhases(wrong);
    wrong->start();
    pool.run(waitInOnePhase, step);
    EXPECT_FALSE(wrong->isComplete());
  }
  pool.timePhases(nullptr);
  double before = clock.seconds(kLongPhase);
  pool.run(waitInOnePhase, step);
  EXPECT_EQ(clock.seconds(kLongPhase), before);
}

#if defined(__x86_64__)
TEST_P(ThreadPoolTest, RoundsToNearestWhateverTheCallerSet) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()).ok());
  unsigned saved = _mm_getcsr();
  _mm_setcsr(0xFFC0);  // round to zero, flush to zero, denormals are zero
  std::atomic<int> wrong{0};
  pool.run(
      [](void *context, int) {
        if ((_mm_getcsr() & 0xFFC0) != 0x1F80)
          ++*static_cast<std::atomic<int> *>(context);
      },
      &wrong);
  unsigned after = _mm_getcsr();
  _mm_setcsr(saved);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(after & 0xFFC0, 0xFFC0u);
}
#endif

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest,
                         testing::Values(1, 2, 3, 4, 5, 8));

TEST(ThreadPool, RefusesImpossibleCounts) {
  ThreadPool pool;
  EXPECT_FALSE(pool.start(0).ok());
  EXPECT_FALSE(pool.start(ThreadPool::kMaxThreads + 1).ok());
  EXPECT_GE(defaultThreadCount(), 1);
}

}  // namespace
}  // namespace gemma
