// SPDX-License-Identifier: Apache-2.0
// The hash of a section whose pieces are made by many threads: they finish in
// any order and are hashed in theirs. Nothing is read twice and nothing waits
// in memory but what is ahead of the front. Does not know what a piece holds.
#ifndef GEMMAC_COMPILER_PACKAGING_ORDEREDHASH_H
#define GEMMAC_COMPILER_PACKAGING_ORDEREDHASH_H

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <xxhash.h>

namespace gemmac::packaging {

// A finished piece waits in its slot until all before it are hashed, and a
// piece more than the slots ahead does not begin. Memory is slots x piece.
class OrderedHash {
 public:
  explicit OrderedHash(size_t slotCount);
  ~OrderedHash();

  // Waits for piece `index` to have a slot. False: another thread failed.
  bool begin(size_t index);

  // Hands a finished piece over; it starts at `offset` of the section. Zeros
  // fill the gap before it. `bytes` come back as memory to go on with.
  void finish(size_t index, uint64_t offset, std::vector<uint8_t> &bytes);

  // No more pieces come: whoever waits in begin() is sent away.
  void stop();

  // XXH3-64 of the whole section, after its last piece.
  uint64_t digest(uint64_t sectionBytes);

 private:
  struct Slot {
    uint64_t offset = 0;
    std::vector<uint8_t> bytes;
    bool isReady = false;
  };

  void padTo(uint64_t offset);

  std::mutex mutex;
  std::condition_variable moved;
  std::vector<Slot> slots;
  XXH3_state_t *state;
  size_t front = 0;  // the first piece that is not hashed
  uint64_t position = 0;
  bool stopped = false;
};

}  // namespace gemmac::packaging

#endif
