// SPDX-License-Identifier: Apache-2.0
// Makes a TokenizerModel of a `tokenizer.json`, the file of Hugging Face's
// tokenizers library. Input: its JSON, parsed (duplicate keys and depth are the
// parser's to refuse), not trusted. Output: a TokenizerModel. It refuses, by
// name, a pipeline that is not Gemma's: byte-pair merges with byte fallback
// over text whose spaces became U+2581. What it cannot take from this file are
// the ids' roles: the caller names the pieces.
// Source: huggingface/tokenizers, serialization of Tokenizer and models::bpe.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERJSON_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERJSON_H

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "compiler/importer/tokenizer/Result.h"
#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::importer {

// Of tokenizer_config.json; the defaults are Gemma's.
struct TokenizerRoles {
  std::string bos = "<bos>", eos = "<eos>", pad = "<pad>";
  bool addBos = true;
};

// A failure if a part is missing, malformed or not Gemma's, or the result fails
// validateTokenizer. Added tokens that are special become Control pieces, which
// no text spells; the others UserDefined.
Result<TokenizerModel> readTokenizerJson(const nlohmann::json &root,
                                         const TokenizerRoles &roles);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERJSON_H
