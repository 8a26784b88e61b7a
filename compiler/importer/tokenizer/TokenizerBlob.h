// SPDX-License-Identifier: Apache-2.0
// Writes the tokenizer section of a compiled model: a FlatBuffer that
// SentencePiece's LITE runtime maps and reads in place. Input: a
// TokenizerModel. Output: the section's bytes, to be placed at an 8-byte
// aligned address; the same model gives the same bytes. addBos is not part of
// the format: it belongs into the model's metadata.
// Source: sentencepiece_lite.fbs of SentencePiece 0.2.3.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERBLOB_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERBLOB_H

#include <string>

#include "compiler/importer/tokenizer/Result.h"
#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::importer {

// A failure if the model fails validateTokenizer or is too large for the
// format. Piece types are written as they are: call demoteStructuralPieces
// first for a model that will chat. About 0.4 s and 60 MB for 262144 pieces.
Result<std::string> writeTokenizerBlob(const TokenizerModel &model);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERBLOB_H
