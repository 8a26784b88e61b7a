// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10: a counter-based generator. A draw is a pure function of (seed,
// index), so that rewinding, batching or threads cannot change what is sampled.
// Not for secrets. Source: Salmon et al., "Parallel Random Numbers: As Easy as
// 1, 2, 3", SC 2011, sections 3.3 and 4.
#ifndef GEMMA_RUNTIME_GENERATION_RANDOM_H
#define GEMMA_RUNTIME_GENERATION_RANDOM_H

#include <array>
#include <cstdint>

namespace gemma {

// The function of the paper: 128 bits from a 128-bit counter and a 64-bit key.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                      std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = kMultiplier0 * counter[0];
    uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

// A multiple of 2^-53 in [0, 1).
inline double uniformDraw(uint64_t seed, uint64_t index) {
  auto bits = philox(
      {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), 0, 0},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  uint64_t mantissa = (uint64_t{bits[0]} << 32 | bits[1]) >> 11;
  return static_cast<double>(mantissa) * 0x1p-53;
}

}  // namespace gemma

#endif  // GEMMA_RUNTIME_GENERATION_RANDOM_H
