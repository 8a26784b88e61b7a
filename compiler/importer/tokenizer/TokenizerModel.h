// SPDX-License-Identifier: Apache-2.0
// A checkpoint's tokenizer as plain data, the same whatever file it came from:
// pieces in id order and the ids with a meaning. Readers: SentencePieceModel,
// TokenizerJson, GgufVocabulary. Writer: TokenizerBlob. It does not encode or
// decode text. It covers what every Gemma has: byte-pair encoding with byte
// fallback, no normalisation but " " -> U+2581, no space put in front. Source:
// sentencepiece_model.proto.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERMODEL_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERMODEL_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/importer/tokenizer/Result.h"

namespace gemmac::importer {

// The numbers are those of SentencePiece's and GGUF's files.
enum class PieceType : uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,      // an id with a meaning; text never spells it
  UserDefined = 4,  // matched in text before any merge, longest first
  Unused = 5,
  Byte = 6,  // "<0x00>" ... "<0xFF>", for what no other piece covers
};

struct TokenizerPiece {
  std::string text;  // UTF-8, U+2581 for a space
  float score = 0;   // Normal pieces: minus the merge's rank, an integer
  PieceType type = PieceType::Normal;
};

struct TokenizerModel {
  std::vector<TokenizerPiece> pieces;  // the index is the id
  int32_t unkId = -1;
  int32_t bosId = -1;  // -1: the checkpoint has none
  int32_t eosId = -1;
  int32_t padId = -1;
  bool addBos = true;                         // does a prompt start with bosId
  std::string unkSurface = " \xE2\x81\x87 ";  // what decoding unkId shows
};

// The limits of the run-time reader, and a bound on memory.
inline constexpr size_t kMaxPieceBytes = 4096;
inline constexpr size_t kMaxPieces = size_t{1} << 22;

// Every property that the writer and the run-time rely on. A failure names the
// piece, what was expected and what was found. A model that passes makes a
// blob; nothing later may abort on it.
Result<void> validateTokenizer(const TokenizerModel &model);

// Is `text` spelled like a token that structures a conversation (turns, tools,
// thinking, images, audio, fill-in-the-middle, reserved)? The families' lists
// differ; their spellings do not, so the rule also covers tokens to come.
bool isStructuralPiece(std::string_view text);

// Chat safety: makes every structural piece, and bos, eos and pad, Control, so
// that a user's text cannot forge one. Returns how many changed their type.
size_t demoteStructuralPieces(TokenizerModel &model);

// A piece's text fit for a diagnostic: cut to 40 bytes, quoted, and bytes that
// a terminal would act on written as \xHH.
std::string quotePiece(std::string_view text);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_TOKENIZERMODEL_H
