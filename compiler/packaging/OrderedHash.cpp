// SPDX-License-Identifier: Apache-2.0
// See OrderedHash.h.
#include "compiler/packaging/OrderedHash.h"

#include <algorithm>

namespace gemmac::packaging {

OrderedHash::OrderedHash(size_t slotCount)
    : slots(slotCount), state(XXH3_createState()) {
  XXH3_64bits_reset(state);
}

OrderedHash::~OrderedHash() { XXH3_freeState(state); }

bool OrderedHash::begin(size_t index) {
  std::unique_lock<std::mutex> lock(mutex);
  moved.wait(lock, [&] { return stopped || index < front + slots.size(); });
  return !stopped;
}

void OrderedHash::finish(size_t index, uint64_t offset,
                         std::vector<uint8_t> &bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  Slot &slot = slots[index % slots.size()];
  slot.offset = offset;
  slot.bytes.swap(bytes);  // the thread goes on with the slot's old memory
  slot.isReady = true;
  for (;;) {
    Slot &next = slots[front % slots.size()];
    if (!next.isReady) break;
    padTo(next.offset);
    XXH3_64bits_update(state, next.bytes.data(), next.bytes.size());
    position += next.bytes.size();
    next.isReady = false;
    ++front;
  }
  moved.notify_all();
}

void OrderedHash::stop() {
  std::lock_guard<std::mutex> lock(mutex);
  stopped = true;
  moved.notify_all();
}

uint64_t OrderedHash::digest(uint64_t sectionBytes) {
  padTo(sectionBytes);
  return XXH3_64bits_digest(state);
}

void OrderedHash::padTo(uint64_t offset) {
  static constexpr uint8_t zeros[4096] = {};
  while (position < offset) {
    size_t count = std::min<uint64_t>(offset - position, sizeof(zeros));
    XXH3_64bits_update(state, zeros, count);
    position += count;
  }
}

}  // namespace gemmac::packaging
