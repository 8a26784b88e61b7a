// SPDX-License-Identifier: Apache-2.0
// The checks and the chat-safety rule over a tokenizer's plain data. Input: a
// TokenizerModel from any reader, not trusted. Output: a verdict, or changed
// piece types. Builds nothing.
#include "compiler/importer/tokenizer/TokenizerModel.h"

#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gemmac::importer {
namespace {

// The run-time compares merge ranks as int32; floats up to here convert.
constexpr float kMaxScore = 2147483520.0f;

std::string pieceName(size_t id, std::string_view text) {
  return "piece " + std::to_string(id) + " (" + quotePiece(text) + ")";
}

// Bytes of the valid UTF-8 character at `text`'s front, or 0.
size_t validCharBytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes > text.size()) return 0;
  for (size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the
  // second byte.
  unsigned char second = byte(1);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return bytes;
}

bool isValidUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t bytes = validCharBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string bytePieceText(int byte) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text = "<0x00>";
  text[3] = digits[byte >> 4];
  text[4] = digits[byte & 15];
  return text;
}

// A trie's keys end at a NUL, and a byte that is not UTF-8 would reach the
// reader of a decoded text.
Result<void> checkText(std::string_view text) {
  if (text.empty()) return Failure{"expected a text, found none"};
  if (text.size() > kMaxPieceBytes)
    return Failure{"expected at most " + std::to_string(kMaxPieceBytes) +
                   " bytes, found " + std::to_string(text.size())};
  if (text.find('\0') != std::string_view::npos)
    return Failure{"expected no NUL byte, found one"};
  if (!isValidUtf8(text)) return Failure{"expected UTF-8, found other bytes"};
  return {};
}

Result<void> checkPiece(const TokenizerPiece &piece) {
  if (Result<void> good = checkText(piece.text); !good) return good;
  int type = static_cast<int>(piece.type);
  if (type < 1 || type > 6)
    return Failure{"expected a type from 1 to 6, found " +
                   std::to_string(type)};
  if (piece.type != PieceType::Normal) return {};
  // Written so that a NaN fails.
  bool isRank = std::fabs(piece.score) <= kMaxScore &&
                piece.score == std::floor(piece.score);
  if (isRank) return {};
  return Failure{"expected an integer as the score of a merge, found " +
                 std::to_string(piece.score)};
}

using PieceIndex = std::unordered_map<std::string_view, int32_t>;

// The run-time turns a byte into an id by adding it to that of "<0x00>".
Result<void> checkBytePieces(const TokenizerModel &model,
                             const PieceIndex &index) {
  auto first = index.find("<0x00>");
  if (first == index.end())
    return Failure{
        "tokenizer: expected the byte pieces <0x00> to <0xFF>, found no "
        "<0x00>"};
  for (int byte = 0; byte < 256; ++byte) {
    std::string text = bytePieceText(byte);
    auto at = index.find(text);
    int32_t wanted = first->second + byte;
    if (at != index.end() && at->second == wanted &&
        model.pieces[wanted].type == PieceType::Byte)
      continue;
    std::string found = "none";
    if (at != index.end())
      found = "type " +
              std::to_string(static_cast<int>(model.pieces[at->second].type)) +
              " at id " + std::to_string(at->second);
    return Failure{"tokenizer: expected " + text + " of type BYTE at id " +
                   std::to_string(wanted) + ", found " + found};
  }
  return {};
}

Result<void> checkCounts(const TokenizerModel &model) {
  size_t unknowns = 0, bytes = 0;
  for (const TokenizerPiece &piece : model.pieces) {
    unknowns += piece.type == PieceType::Unknown;
    bytes += piece.type == PieceType::Byte;
  }
  if (unknowns != 1)
    return Failure{"tokenizer: expected one piece of type UNKNOWN, found " +
                   std::to_string(unknowns)};
  // Others of this type would decode to their spelling, "<0x1>" say.
  if (bytes != 256)
    return Failure{"tokenizer: expected 256 pieces of type BYTE, found " +
                   std::to_string(bytes)};
  return {};
}

Result<void> checkIds(const TokenizerModel &model) {
  auto count = static_cast<int64_t>(model.pieces.size());
  struct {
    const char *name;
    int32_t id;
  } ids[] = {{"bos", model.bosId}, {"eos", model.eosId}, {"pad", model.padId}};
  for (auto [name, id] : ids) {
    if (id >= -1 && id < count) continue;
    return Failure{std::string("tokenizer: expected a ") + name +
                   " id below the vocabulary's size " + std::to_string(count) +
                   ", found " + std::to_string(id)};
  }
  bool known = model.unkId >= 0 && model.unkId < count;
  if (!known || model.pieces[model.unkId].type != PieceType::Unknown)
    return Failure{
        "tokenizer: expected a piece of type UNKNOWN at the unknown id " +
        std::to_string(model.unkId) + ", found " +
        (known ? pieceName(model.unkId, model.pieces[model.unkId].text)
               : "no such id")};
  if (model.addBos && model.bosId < 0)
    return Failure{
        "tokenizer: expected a bos id, since prompts start with it, found "
        "none"};
  return {};
}

Result<PieceIndex> indexPieces(const TokenizerModel &model) {
  PieceIndex index;
  index.reserve(model.pieces.size());
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const TokenizerPiece &piece = model.pieces[id];
    if (Result<void> good = checkPiece(piece); !good)
      return Failure{"tokenizer: " + pieceName(id, piece.text) + ": " +
                     good.message()};
    auto [at, fresh] = index.try_emplace(piece.text, static_cast<int32_t>(id));
    if (!fresh)
      return Failure{"tokenizer: " + pieceName(id, piece.text) +
                     ": expected a text of its own, found that of piece " +
                     std::to_string(at->second)};
  }
  return index;
}

// The word inside <|word|>, <|word> or <word|>; `<|"|>` is one too. Operators
// such as "<|>", ordinary pieces of code, have no word.
bool isBarWord(std::string_view word) {
  if (word == "\"") return true;
  if (word.empty()) return false;
  for (char c : word) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && c != '_' && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool endsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         text.substr(text.size() - suffix.size()) == suffix;
}

}  // namespace

Result<void> validateTokenizer(const TokenizerModel &model) {
  if (model.pieces.empty() || model.pieces.size() > kMaxPieces)
    return Failure{"tokenizer: expected 1 to " + std::to_string(kMaxPieces) +
                   " pieces, found " + std::to_string(model.pieces.size())};
  if (model.unkSurface.size() > kMaxPieceBytes ||
      !isValidUtf8(model.unkSurface))
    return Failure{"tokenizer: expected UTF-8 of at most " +
                   std::to_string(kMaxPieceBytes) +
                   " bytes as the unknown piece's surface, found " +
                   std::to_string(model.unkSurface.size()) +
                   " bytes: " + quotePiece(model.unkSurface)};
  Result<PieceIndex> index = indexPieces(model);
  if (!index) return index.failure();
  if (Result<void> good = checkIds(model); !good) return good;
  if (Result<void> good = checkCounts(model); !good) return good;
  return checkBytePieces(model, *index);
}

bool isStructuralPiece(std::string_view text) {
  if (text == "[multimodal]") return true;
  if (text.size() < 3 || text.front() != '<' || text.back() != '>')
    return false;
  // Gemma 4 and CodeGemma: <|turn>, <turn|>, <|"|>, <|fim_prefix|>.
  std::string_view word = text.substr(1, text.size() - 2);
  bool barFront = startsWith(word, "|"), barBack = endsWith(word, "|");
  if (barFront) word.remove_prefix(1);
  if (barBack && !word.empty()) word.remove_suffix(1);
  if ((barFront || barBack) && isBarWord(word)) return true;
  // Gemma 1 to 3n and FunctionGemma: <start_of_turn>, <end_function_call>.
  if (startsWith(text, "<start_") || startsWith(text, "<end_")) return true;
  if (endsWith(text, "_soft_token>")) return true;
  if (startsWith(text, "<unused")) return true;
  for (std::string_view other :
       {"<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<escape>", "<image>"})
    if (text == other) return true;
  return false;
}

size_t demoteStructuralPieces(TokenizerModel &model) {
  size_t changed = 0;
  auto demote = [&](TokenizerPiece &piece) {
    // Byte and Unknown pieces cannot be spelled either, and decoding needs
    // their types.
    if (piece.type == PieceType::Control || piece.type == PieceType::Byte ||
        piece.type == PieceType::Unknown)
      return;
    piece.type = PieceType::Control;
    piece.score = 0;
    ++changed;
  };
  for (TokenizerPiece &piece : model.pieces)
    if (isStructuralPiece(piece.text)) demote(piece);
  for (int32_t id : {model.bosId, model.eosId, model.padId})
    if (id >= 0 && static_cast<size_t>(id) < model.pieces.size())
      demote(model.pieces[id]);
  return changed;
}

std::string quotePiece(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  constexpr size_t shown = 40;
  std::string quoted = "\"";
  for (char c : text.substr(0, shown)) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
    if (plain) {
      quoted += c;
    } else {
      quoted += "\\x";
      quoted += digits[byte >> 4];
      quoted += digits[byte & 15];
    }
  }
  quoted += text.size() > shown ? "\"..." : "\"";
  return quoted;
}

}  // namespace gemmac::importer
