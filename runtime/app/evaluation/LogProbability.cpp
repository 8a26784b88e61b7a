// SPDX-License-Identifier: Apache-2.0
// Sums of exponentials by pieces of 4096, each in 8 lanes: the lanes are what
// lets a compiler use SSE2 without changing the order of a sum.
#include "runtime/app/evaluation/LogProbability.h"

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

// Σ p (log p − log q) over a piece, with p and q given by their logarithms.
double divergePiece(std::span<const float> reference,
                    std::span<const float> logits, double referenceSum,
                    double logitsSum) {
  double lanes[kLanes] = {};
  for (size_t i = 0; i < logits.size(); ++i) {
    double logP = reference[i] - referenceSum, p = exactExp(logP);
    // What cannot occur adds nothing, infinite logits included.
    if (p > 0) lanes[i % kLanes] += p * (logP - (logits[i] - logitsSum));
  }
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

// The sum of `piece(from, count)` over all pieces, in order.
template <typename Piece>
double sumPieces(size_t count, ThreadPool &pool, Piece piece) {
  struct Job {
    Piece &piece;
    size_t count, threads;
    std::vector<double> sums;
  } job{piece, count, static_cast<size_t>(pool.threadCount()),
        std::vector<double>((count + kPiece - 1) / kPiece)};
  pool.run(
      [](void *context, int thread) {
        Job &job = *static_cast<Job *>(context);
        for (size_t i = thread; i < job.sums.size(); i += job.threads)
          job.sums[i] =
              job.piece(i * kPiece, std::min(kPiece, job.count - i * kPiece));
      },
      &job);
  double sum = 0;
  for (double part : job.sums) sum += part;
  return sum;
}

}  // namespace

double logSumExp(std::span<const float> logits, ThreadPool &pool) {
  double largest = *std::max_element(logits.begin(), logits.end());
  double sum = sumPieces(logits.size(), pool, [&](size_t from, size_t count) {
    return sumPiece(logits.subspan(from, count), largest);
  });
  return largest + std::log(sum);
}

double divergence(std::span<const float> reference,
                  std::span<const float> logits, ThreadPool &pool) {
  double referenceSum = logSumExp(reference, pool);
  double logitsSum = logSumExp(logits, pool);
  double sum = sumPieces(logits.size(), pool, [&](size_t from, size_t count) {
    return divergePiece(reference.subspan(from, count),
                        logits.subspan(from, count), referenceSum, logitsSum);
  });
  // Rounding alone takes it below.
  return std::max(sum, 0.0);
}

}  // namespace gemma
