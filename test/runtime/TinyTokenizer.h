// SPDX-License-Identifier: Apache-2.0
// A tokenizer section of 300 pieces, made with the compiler's writer: turn
// tokens as control pieces, bytes, a few letters and words.
#ifndef GEMMA_TEST_RUNTIME_TINY_TOKENIZER_H
#define GEMMA_TEST_RUNTIME_TINY_TOKENIZER_H

#include <cstdint>
#include <span>

namespace gemma::test {

inline constexpr int32_t kTinyVocabulary = 300;

// 8-byte aligned; lives forever.
std::span<const uint8_t> tinyTokenizer();

}  // namespace gemma::test

#endif  // GEMMA_TEST_RUNTIME_TINY_TOKENIZER_H
