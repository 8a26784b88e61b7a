// SPDX-License-Identifier: Apache-2.0
// A byte-pair vocabulary of 300 pieces for tests: specials, turn and image
// tokens, newline runs, the 256 byte pieces and a few merges. The same as a
// TokenizerModel and as the bytes of a tokenizer.model file (written by hand,
// so that the reader is not tested against itself).
#ifndef GEMMAC_TEST_SUPPORT_TOKENIZER_TINYVOCABULARY_H
#define GEMMAC_TEST_SUPPORT_TOKENIZER_TINYVOCABULARY_H

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "compiler/importer/tokenizer/TokenizerModel.h"

namespace gemmac::test {

inline constexpr int32_t kTurn = 4, kImage = 5, kNewline = 6, kByte0 = 8;
inline constexpr int32_t kFirstMerge = kByte0 + 256;

inline importer::TokenizerModel tinyModel() {
  using importer::PieceType;
  importer::TokenizerModel model;
  auto add = [&](std::string text, PieceType type, float score = 0) {
    model.pieces.push_back({std::move(text), score, type});
  };
  add("<pad>", PieceType::Control);
  add("<eos>", PieceType::Control);
  add("<bos>", PieceType::Control);
  add("<unk>", PieceType::Unknown);
  add("<start_of_turn>", PieceType::Control);
  add("<start_of_image>", PieceType::UserDefined);
  add("\n", PieceType::UserDefined);
  add("\n\n", PieceType::UserDefined);
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", byte);
    add(text, PieceType::Byte);
  }
  // Best merge first: he, ll, hell, hello, ▁hello; then the characters.
  int rank = 0;
  for (const char *text :
       {"he", "ll", "hell", "hello", "\xE2\x96\x81hello", "\xE2\x96\x81", "h",
        "e", "l", "o", "w", "\xC3\xA9", "\xE4\xB8\xAD", "<", ">", "t", "r"})
    add(text, PieceType::Normal, static_cast<float>(-rank++));
  model.padId = 0;
  model.eosId = 1;
  model.bosId = 2;
  model.unkId = 3;
  return model;
}

// protobuf, as its specification has it: (number << 3 | type) then the value.
inline void putVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(0x80 | (value & 0x7F));
  out += static_cast<char>(value);
}

inline void putBytes(std::string &out, int number, std::string_view bytes) {
  putVarint(out, static_cast<uint64_t>(number) << 3 | 2);
  putVarint(out, bytes.size());
  out += bytes;
}

inline void putInt(std::string &out, int number, uint64_t value) {
  putVarint(out, static_cast<uint64_t>(number) << 3);
  putVarint(out, value);
}

inline std::string pieceMessage(const importer::TokenizerPiece &piece) {
  std::string out;
  putBytes(out, 1, piece.text);
  putVarint(out, 2 << 3 | 5);
  char score[4];
  std::memcpy(score, &piece.score, 4);
  out.append(score, 4);
  if (piece.type != importer::PieceType::Normal)
    putInt(out, 3, static_cast<uint64_t>(piece.type));
  return out;
}

struct TinyFileOptions {
  int modelType = 2;
  bool addDummyPrefix = false;
  bool byteFallback = true;
  std::string charsmap = {};
};

inline std::string tinyFile(const importer::TokenizerModel &model,
                            const TinyFileOptions &options = {}) {
  std::string file, trainer, normalizer;
  for (const auto &piece : model.pieces) putBytes(file, 1, pieceMessage(piece));
  putInt(trainer, 3, options.modelType);
  putInt(trainer, 35, options.byteFallback);
  putInt(trainer, 40, 3);
  putInt(trainer, 43, static_cast<uint64_t>(int64_t{-1}));
  putBytes(trainer, 46, "<bos>");
  putBytes(trainer, 47, "<eos>");
  putBytes(file, 2, trainer);
  putBytes(normalizer, 1, "identity");
  if (!options.charsmap.empty()) putBytes(normalizer, 2, options.charsmap);
  putInt(normalizer, 3, options.addDummyPrefix);
  putInt(normalizer, 4, 0);
  putBytes(file, 3, normalizer);
  putBytes(file, 99, "a field of later versions");
  return file;
}

}  // namespace gemmac::test

#endif  // GEMMAC_TEST_SUPPORT_TOKENIZER_TINYVOCABULARY_H
