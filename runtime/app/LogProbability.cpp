// Sums of exponentials by pieces of 4096, each in 8 lanes: the lanes are what
// lets a compiler use SSE2 without changing the order of a sum.
#include "runtime/app/LogProbability.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/generation/Exp.h"

namespace gemma {
namespace {

constexpr size_t kPiece = 4096;
constexpr size_t kLanes = 8;

double sumPiece(std::span<const float> logits, double largest) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += exactExp(logits[i + lane] - largest);
  for (; i < logits.size(); ++i) lanes[0] += exactExp(logits[i] - largest);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

struct Job {
  std::span<const float> logits;
  double largest;
  std::vector<double> sums;
  size_t threads;
};

}  // namespace

double logSumExp(std::span<const float> logits, ThreadPool &pool) {
  Job job;
  job.logits = logits;
  job.largest = *std::max_element(logits.begin(), logits.end());
  job.sums.resize((logits.size() + kPiece - 1) / kPiece);
  job.threads = pool.threadCount();
  pool.run(
      [](void *context, int thread) {
        Job &job = *static_cast<Job *>(context);
        for (size_t i = thread; i < job.sums.size(); i += job.threads) {
          size_t count = std::min(kPiece, job.logits.size() - i * kPiece);
          job.sums[i] =
              sumPiece(job.logits.subspan(i * kPiece, count), job.largest);
        }
      },
      &job);
  double sum = 0;
  for (double part : job.sums) sum += part;
  return job.largest + std::log(sum);
}

}  // namespace gemma
