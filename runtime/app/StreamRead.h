// The machine's streaming read bandwidth, measured over the model's own weights
// with the pool's threads: what decoding could reach if it only read them.
#ifndef GEMMA_RUNTIME_APP_STREAM_READ_H
#define GEMMA_RUNTIME_APP_STREAM_READ_H

#include "runtime/model/Model.h"
#include "runtime/model/ThreadPool.h"

namespace gemma {

// Bytes a second of one pass (several passes over small weights).
double streamRead(const Model &model, ThreadPool &pool);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_STREAM_READ_H
