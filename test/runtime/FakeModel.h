// SPDX-License-Identifier: Apache-2.0
// A toy model behind the real contract, and its judge. Its logits are integers
// that depend on every position in sight, through two cache layers (one full,
// one sliding in a ring), so that a wrong position, block, window or race
// changes them. fakeLogits() computes the same from the tokens alone.
#ifndef GEMMA_TEST_RUNTIME_FAKE_MODEL_H
#define GEMMA_TEST_RUNTIME_FAKE_MODEL_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/include/gemma/ModelAbi.h"

namespace gemma::test {

inline constexpr int32_t kFakeContext = 2048;
inline constexpr int32_t kFakeWindow = 200;
// Room for the window and a call, in blocks of 128: like a real ring.
inline constexpr int32_t kFakeRing = 2;
inline constexpr int32_t kFakePrefillRows = 32;
inline constexpr int32_t kFakeBatchRows = 4;
inline constexpr int32_t kFakeHeadRows = 3;
inline constexpr int64_t kFakeWeightBytes = 4096;

// `vocabulary` at most 2^20; with an arg-max or without. Lives forever;
// cpu_features is 0.
const gemma_model_code &fakeModel(int32_t vocabulary, bool argMax = true);

// kFakeWeightBytes bytes, 64-byte aligned.
std::span<const uint8_t> fakeWeights();

// Logits after the last of `tokens`, straight from the definition.
std::vector<float> fakeLogits(std::span<const int32_t> tokens,
                              int32_t vocabulary);

// Step calls since the start by entry point: decode, batch, prefill.
struct FakeCalls {
  int64_t decode = 0, batch = 0, prefill = 0, head = 0, argMax = 0;
};
FakeCalls &fakeCalls();

}  // namespace gemma::test

#endif  // GEMMA_TEST_RUNTIME_FAKE_MODEL_H
