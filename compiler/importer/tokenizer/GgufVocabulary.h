// SPDX-License-Identifier: Apache-2.0
// Makes a TokenizerModel of a GGUF file's tokenizer arrays (tokenizer.ggml.*).
// Input: the arrays as plain vectors, so that this does not depend on the GGUF
// reader; not trusted. It undoes what the converters to GGUF changed. It does
// no chat-safety demotion and reads no chat template.
// Source: llama.cpp's gguf-py constants and Gemma converter.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_GGUFVOCABULARY_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_GGUFVOCABULARY_H

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/importer/tokenizer/Result.h"
#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::importer {

// Each member is the value of the key beside it; the defaults are Gemma's, for
// keys that a file lacks.
struct GgufVocabulary {
  std::string model = "llama";      // .model
  std::vector<std::string> tokens;  // .tokens
  std::vector<float> scores;        // .scores
  std::vector<int32_t> types;       // .token_type
  std::vector<std::string> merges;  // .merges, "left right"; wins over scores
  int64_t padId = 0;                // .padding_token_id
  int64_t eosId = 1;                // .eos_token_id
  int64_t bosId = 2;                // .bos_token_id
  int64_t unkId = 3;                // .unknown_token_id
  bool addBos = true;               // .add_bos_token
  bool addSpacePrefix = false;      // .add_space_prefix
};

// A failure if the arrays disagree, the model is not Gemma's kind, or the
// result fails validateTokenizer. Takes the strings over.
Result<TokenizerModel> readGgufVocabulary(GgufVocabulary vocabulary);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_GGUFVOCABULARY_H
