// SPDX-License-Identifier: Apache-2.0
// Engine: runs a model's entry points on a thread pool, for rows of any number
// of sequences in one call, and hands out logits row by row, or only the token
// of the largest. Chooses decode, small batch or prefill by the number of rows;
// which one changes no result. One call at a time. It owns the arena, the
// threads' scratch and the logits, whose memory comes when they are first
// wanted.
#ifndef GEMMA_RUNTIME_MODEL_ENGINE_H
#define GEMMA_RUNTIME_MODEL_ENGINE_H

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/model/Model.h"
#include "runtime/model/RowSource.h"
#include "runtime/model/Status.h"
#include "runtime/model/ThreadPool.h"

namespace gemma {

class PhaseProfile;

// One row: the next token of a sequence. Rows of one sequence in a call follow
// each other's positions in order.
struct RowRequest {
  RowSource *source = nullptr;
  int32_t token = 0;
  bool wanted = false;  // its logits go to the callback
};

// Gets the index of a wanted row in the call's rows and its logits [V], which
// live until the callback returns.
using LogitsCallback =
    std::function<void(size_t row, std::span<const float> logits)>;

// Gets the index of a wanted row and the token of its largest logit: the lowest
// id of equals, NaN counts as none, 0 where there is no other.
using ArgMaxCallback = std::function<void(size_t row, int32_t token)>;

// Memory from mmap: zero-filled, page-aligned, huge pages where offered.
class Pages {
 public:
  Pages() = default;
  ~Pages() { release(); }
  Pages(const Pages &) = delete;
  Pages &operator=(const Pages &) = delete;

  // False if there is not so much. Zero bytes give one page.
  bool allocate(size_t bytes);
  void release();
  uint8_t *data() const { return memory; }
  size_t size() const { return bytes; }

 private:
  uint8_t *memory = nullptr;
  size_t bytes = 0;
};

class Engine {
 public:
  // `threads` 0: defaultThreadCount(). The model must outlive the engine.
  Status start(const Model &model, int threads = 0);

  // Runs up to maxRows() rows and moves their sequences on. On an error none
  // moved. With `argMax` the wanted rows go there in place of `logits`
  // if the model's head has an arg-max, and no logits are computed.
  Status step(std::span<const RowRequest> rows, const LogitsCallback &logits,
              const ArgMaxCallback &argMax = nullptr);

  size_t maxRows() const { return shared->code().prefill_rows; }
  const Model &model() const { return *shared; }
  ThreadPool &threads() { return pool; }

  // Calls from now on add to `profile`, which outlives them; null: none does.
  void setProfile(PhaseProfile *to) { profile = to; }

  // Bytes of arena and scratch, and of logits once they were wanted.
  int64_t workingBytes() const;

 private:
  Status prepareRows(std::span<const RowRequest> rows);
  Status allocateLogits();
  void run(EntryPoint entry);
  void runHead(const LogitsCallback &logits);
  void runArgMax(const ArgMaxCallback &argMax);
  // Calls `entry` for the wanted rows, head_rows at a time, and then `done`
  // with the index of the first.
  void inBlocks(EntryPoint entry,
                const std::function<void(size_t first, size_t count)> &done);

  const Model *shared = nullptr;
  PhaseProfile *profile = nullptr;
  ThreadPool pool;
  Pages arena, scratch, logitsBuffer;
  gemma_step call{};
  std::vector<gemma_row> callRows;
  std::vector<int32_t> wantedRows;
  std::vector<float> pairs;  // {logit, token} for head_rows rows
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_ENGINE_H
