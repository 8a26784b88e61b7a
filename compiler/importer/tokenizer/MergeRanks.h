// SPDX-License-Identifier: Apache-2.0
// Scores for a vocabulary that comes with a list of merges (tokenizer.json,
// Gemma 4's GGUF) where SentencePiece's files have scores. Input: the pieces
// and the merges in order, not trusted. Output: each Normal piece's score.
// Why it is equal: the run-time may join any two neighbours whose text is a
// piece, best score first; these files list every such pair of a piece.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_MERGERANKS_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_MERGERANKS_H

#include <string_view>
#include <utility>
#include <vector>

#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::importer {

using TokenizerMerge = std::pair<std::string_view, std::string_view>;

// A piece's rank is that of the first merge which makes it, counted without
// gaps; its score is minus the rank. Pieces that no merge makes come last.
// A failure where a merge names or makes what is no piece.
Result<void> scoreByMerges(TokenizerModel &model,
                           const std::vector<TokenizerMerge> &merges);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_MERGERANKS_H
