// SPDX-License-Identifier: Apache-2.0
// Session: one sequence's position, tokens and KV cache on an engine. Cache
// blocks are allocated as positions reach them and kept for reuse. One thread
// at a time; sessions of one engine take turns. It does not sample.
#ifndef GEMMA_RUNTIME_MODEL_SESSION_H
#define GEMMA_RUNTIME_MODEL_SESSION_H

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/model/Engine.h"
#include "runtime/model/Status.h"

namespace gemma {

enum class Wanted { None, Last, All };

class Session final : public RowSource {
 public:
  // `context` limits the positions; 0: the model's. The engine must outlive the
  // session.
  explicit Session(Engine &engine, int32_t context = 0);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  // Runs the tokens at the next positions, `chunk` a call (0: as many as fit).
  // The callbacks' row counts from the first of `tokens`; which of the two gets
  // the wanted rows is Engine::step's. When *cancel turns true, feeding ends
  // early and without an error between two calls: position() says how far it
  // came.
  Status feed(std::span<const int32_t> tokens, Wanted wanted,
              const LogitsCallback &logits, int32_t chunk = 0,
              const std::atomic<bool> *cancel = nullptr,
              const ArgMaxCallback &argMax = nullptr);

  // Goes back to `position`, as if only the tokens before it had been fed. Free
  // where the ring buffers still hold every position that is in sight; else all
  // tokens are run again, for recomputing one window would not be exact.
  Status rewind(int32_t position, const std::atomic<bool> *cancel = nullptr);

  // Position 0; keeps the memory.
  void reset();

  int32_t position() const { return static_cast<int32_t>(tokens.size()); }
  int32_t context() const { return limit; }
  std::span<const int32_t> history() const { return tokens; }
  bool canRewindFreely(int32_t position) const;
  Engine &engine() { return *owner; }

  // Bytes of cache that are allocated.
  int64_t cacheBytes() const { return allocatedBytes; }

 private:
  // For the engine, which knows a RowSource.
  Status placeRow(int32_t ahead, gemma_row &row) override;
  void advance(int32_t token) override;

  // Makes the blocks that hold `position` exist in every layer.
  Status allocateBlocks(int32_t position);

  Engine *owner;
  int32_t limit;
  std::vector<void *> blocks;
  std::vector<int32_t> tokens;
  // One past the highest position written since the cache was last begun: what
  // a ring has overwritten depends on it, and rewinding does not lower it.
  int32_t written = 0;
  int64_t allocatedBytes = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_SESSION_H
