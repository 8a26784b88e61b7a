// Each thread sums 64-bit words of its own contiguous part, in eight chains, so
// that loads and not additions are the limit.
#include "runtime/app/StreamRead.h"

#include <string.h>

#include <atomic>

#include "runtime/generation/Generator.h"

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

}  // namespace gemma
