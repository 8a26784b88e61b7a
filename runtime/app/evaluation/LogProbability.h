// SPDX-License-Identifier: Apache-2.0
// Sums over a row of logits, for perplexity and distances, in double, with the
// pool's threads: fixed pieces of the vocabulary, added in order, so that the
// result does not depend on the threads. Not for the sampler, which has its own
// order.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_LOGPROBABILITY_H
#define GEMMA_RUNTIME_APP_EVALUATION_LOGPROBABILITY_H

#include <span>

#include "runtime/model/ThreadPool.h"

namespace gemma {

// log Σ exp(logits).
double logSumExp(std::span<const float> logits, ThreadPool &pool);

// The Kullback-Leibler divergence of softmax(logits) from softmax(reference),
// in nats: 0 for equal rows.
double divergence(std::span<const float> reference,
                  std::span<const float> logits, ThreadPool &pool);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_LOGPROBABILITY_H
