// SPDX-License-Identifier: Apache-2.0
// The two limits of the machine that bench sets its figures against, measured
// with the pool's threads: the streaming read of the model's own weights, which
// is what decoding could reach if it only read them, and the rate of 8-bit
// products in registers, for prefill.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_ROOFLINE_H
#define GEMMA_RUNTIME_APP_EVALUATION_ROOFLINE_H

#include "runtime/model/Model.h"
#include "runtime/model/ThreadPool.h"

namespace gemma {

// Bytes a second of one pass (several passes over small weights).
double streamRead(const Model &model, ThreadPool &pool);

// Operations a second, a multiply-add being two, in about 10 ms; 0 for code
// without such products.
double dotPeak(const Model &model, ThreadPool &pool);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_ROOFLINE_H
