// SPDX-License-Identifier: Apache-2.0
// Reads a `tokenizer.model` file, SentencePiece's ModelProto in protobuf's wire
// format. Input: the file's bytes, not trusted. Output: a TokenizerModel.
// It reads only the fields that encoding depends on, and refuses a model whose
// settings the run-time does not implement. No chat-safety demotion happens
// here. Source: sentencepiece_model.proto.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_SENTENCEPIECEMODEL_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_SENTENCEPIECEMODEL_H

#include <string_view>

#include "compiler/importer/tokenizer/Result.h"
#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::importer {

// A failure if the bytes are malformed, are not a byte-pair model, or fail
// validateTokenizer.
Result<TokenizerModel> readSentencePieceModel(std::string_view bytes);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_SENTENCEPIECEMODEL_H
