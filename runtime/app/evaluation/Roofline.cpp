// SPDX-License-Identifier: Apache-2.0
// Reading: each thread sums 64-bit words of its own contiguous part, in eight
// chains, so that loads and not additions are the limit. Products: the compiled
// code brings the loop, as only it knows the target's instruction.
#include "runtime/app/evaluation/Roofline.h"

#include <string.h>

#include <atomic>

#include "runtime/model/Clock.h"

namespace gemma {
namespace {

constexpr int64_t kLeastBytes = int64_t{64} << 20;
constexpr int64_t kStride = 64;

struct Job {
  const uint8_t *bytes;
  int64_t lines;
  int threads;
  int64_t passes;
  std::atomic<uint64_t> sum{0};
};

uint64_t sumLines(const uint8_t *from, int64_t lines) {
  uint64_t lanes[8] = {};
  for (int64_t i = 0; i < lines; ++i) {
    uint64_t words[8];
    memcpy(words, from + i * kStride, sizeof(words));
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += words[lane];
  }
  uint64_t sum = 0;
  for (uint64_t lane : lanes) sum += lane;
  return sum;
}

}  // namespace

double streamRead(const Model &model, ThreadPool &pool) {
  Job job;
  job.bytes = model.weights();
  job.lines = model.code().weight_bytes / kStride;
  job.threads = pool.threadCount();
  int64_t bytes = job.lines * kStride;
  if (bytes == 0) return 0;
  job.passes = bytes >= kLeastBytes ? 1 : (kLeastBytes + bytes - 1) / bytes;
  double start = monotonicSeconds();
  pool.run(
      [](void *context, int thread) {
        Job &job = *static_cast<Job *>(context);
        int64_t from = job.lines * thread / job.threads;
        int64_t to = job.lines * (thread + 1) / job.threads;
        for (int64_t pass = 0; pass < job.passes; ++pass)
          job.sum.fetch_add(sumLines(job.bytes + from * kStride, to - from),
                            std::memory_order_relaxed);
      },
      &job);
  double seconds = monotonicSeconds() - start;
  return static_cast<double>(bytes * job.passes) / seconds;
}

double dotPeak(const Model &model, ThreadPool &pool) {
  constexpr double kSeconds = 0.01;
  const gemma_model_code &code = model.code();
  if (code.dot_peak == nullptr) return 0;
  struct Job {
    const gemma_model_code &code;
    int64_t rounds;
  } job{code, 1000};
  // Twice as many rounds until they take long enough to be timed.
  for (;; job.rounds *= 2) {
    double start = monotonicSeconds();
    pool.run(
        [](void *context, int) {
          const Job &job = *static_cast<Job *>(context);
          alignas(64) char sink[64];
          job.code.dot_peak(job.rounds, sink);
        },
        &job);
    double seconds = monotonicSeconds() - start;
    if (seconds < kSeconds / 2 && job.rounds < INT64_MAX / 2) continue;
    double operations = static_cast<double>(job.rounds) *
                        static_cast<double>(code.dot_peak_operations);
    return operations * pool.threadCount() / seconds;
  }
}

}  // namespace gemma
