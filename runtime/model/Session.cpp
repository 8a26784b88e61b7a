// SPDX-License-Identifier: Apache-2.0
// Feeding in calls, block allocation and rewinding. Blocks start as zeros:
// masks select and never multiply, but a kernel may load what it then drops.
#include "runtime/model/Session.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <cassert>
#include <string>

namespace gemma {

Session::Session(Engine &engine, int32_t context) : owner(&engine) {
  const gemma_model_code &code = engine.model().code();
  limit = context > 0 ? std::min(context, code.context) : code.context;
  blocks.assign(code.kv_slots, nullptr);
}

Session::~Session() {
  for (void *block : blocks) free(block);
}

Status Session::placeRow(int32_t ahead, gemma_row &row) {
  assert(ahead >= 0);
  row.position = row.visible_end = position() + ahead;
  row.kv = blocks.data();
  if (row.position < limit) return allocateBlocks(row.position);
  return Status(Code::ContextFull, "expected a position below the context of " +
                                       std::to_string(limit) + ", found " +
                                       std::to_string(row.position));
}

Status Session::allocateBlocks(int32_t position) {
  const gemma_model_code &code = owner->model().code();
  for (int32_t i = 0; i < code.kv_layer_count; ++i) {
    const gemma_kv_layer &layer = code.kv_layers[i];
    int32_t index = position / GEMMA_KV_BLOCK % layer.ring_blocks;
    assert(layer.first_slot + index < static_cast<int32_t>(blocks.size()));
    void *&block = blocks[layer.first_slot + index];
    if (block != nullptr) continue;
    size_t bytes = (static_cast<size_t>(layer.block_bytes) + 63) / 64 * 64;
    block = aligned_alloc(64, bytes);
    if (block == nullptr)
      return Status(Code::OutOfMemory, "expected " + std::to_string(bytes) +
                                           " bytes for the cache, found less");
    memset(block, 0, bytes);
    allocatedBytes += static_cast<int64_t>(bytes);
  }
  return {};
}

void Session::advance(int32_t token) {
  assert(position() < limit);
  tokens.push_back(token);
  written = std::max(written, position());
}

Status Session::feed(std::span<const int32_t> fed, Wanted wanted,
                     const LogitsCallback &logits, int32_t chunk,
                     const std::atomic<bool> *cancel,
                     const ArgMaxCallback &argMax) {
  int64_t room = limit - position();
  if (static_cast<int64_t>(fed.size()) > room)
    return Status(Code::ContextFull,
                  "expected at most " + std::to_string(room) +
                      " tokens, as the context of " + std::to_string(limit) +
                      " allows, found " + std::to_string(fed.size()));
  size_t most = owner->maxRows();
  if (chunk > 0) most = std::min<size_t>(most, chunk);
  std::vector<RowRequest> rows;
  size_t at = 0;
  ArgMaxCallback largest;
  if (argMax)
    largest = [&](size_t row, int32_t token) { argMax(at + row, token); };
  while (at < fed.size()) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return {};
    size_t count = std::min(most, fed.size() - at);
    rows.clear();
    for (size_t i = at; i < at + count; ++i)
      rows.push_back({this, fed[i],
                      wanted == Wanted::All ||
                          (wanted == Wanted::Last && i + 1 == fed.size())});
    Status status = owner->step(
        rows,
        [&](size_t row, auto values) {
          if (logits) logits(at + row, values);
        },
        largest);
    if (!status.ok()) return status;
    at += count;
  }
  return {};
}

bool Session::canRewindFreely(int32_t to) const {
  assert(written >= position());
  if (to < 0 || to > position()) return false;
  const gemma_model_code &code = owner->model().code();
  for (int32_t i = 0; i < code.kv_layer_count; ++i) {
    const gemma_kv_layer &layer = code.kv_layers[i];
    // What stands a whole ring before the last written is overwritten.
    int64_t ring = int64_t{layer.ring_blocks} * GEMMA_KV_BLOCK;
    int64_t oldest = std::max<int64_t>(0, written - ring);
    // The next row sees `window` positions, itself among them.
    int32_t seen = layer.window > 0 ? std::max(0, to - layer.window + 1) : 0;
    if (seen < oldest && to > 0) return false;
  }
  return true;
}

Status Session::rewind(int32_t to, const std::atomic<bool> *cancel) {
  if (to < 0 || to > position())
    return Status(Code::InvalidInput, "expected a position from 0 to " +
                                          std::to_string(position()) +
                                          ", found " + std::to_string(to));
  if (to == position()) return {};
  if (to == 0) {
    reset();
    return {};
  }
  if (canRewindFreely(to)) {
    tokens.resize(to);
    return {};
  }
  std::vector<int32_t> kept(tokens.begin(), tokens.begin() + to);
  reset();
  return feed(kept, Wanted::None, nullptr, 0, cancel);
}

void Session::reset() {
  tokens.clear();
  written = 0;
}

}  // namespace gemma
