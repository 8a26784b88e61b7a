// SPDX-License-Identifier: Apache-2.0
// tokenizer.model bytes -> TokenizerModel: a bounds-checked reader of
// protobuf's wire format (100 lines, where the protobuf library would add a
// code generator and megabytes), and the meaning of the fields we need.
// Unknown fields are skipped, as protobuf demands.
#include "compiler/importer/tokenizer/SentencePieceModel.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gemmac::importer {
namespace {

enum class WireType { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::Varint;
  uint64_t value = 0;      // Varint, Fixed64, Fixed32
  std::string_view bytes;  // Bytes
};

// Walks the fields of one message. Every read is checked against the end of
// the message; nothing recurses, so nesting cannot exhaust the stack.
class WireReader {
 public:
  WireReader(std::string_view message, std::string_view file)
      : rest(message), file(file) {}

  // False at the message's end and on an error; `error` tells which.
  bool next(WireField &field, std::string &error) {
    if (rest.empty()) return false;
    uint64_t tag = 0;
    if (!readVarint(tag, error)) return false;
    field.number = static_cast<uint32_t>(tag >> 3);
    if (field.number == 0 || tag >> 32 != 0)
      return fail(error, "expected a field number from 1 to 536870911");
    switch (tag & 7) {
      case 0:
        field.type = WireType::Varint;
        return readVarint(field.value, error);
      case 1:
        field.type = WireType::Fixed64;
        return readFixed(8, field.value, error);
      case 2:
        field.type = WireType::Bytes;
        return readBytes(field.bytes, error);
      case 5:
        field.type = WireType::Fixed32;
        return readFixed(4, field.value, error);
    }
    return fail(error, "expected wire type 0, 1, 2 or 5, found " +
                           std::to_string(tag & 7));
  }

 private:
  bool fail(std::string &error, const std::string &problem) {
    error = "tokenizer.model: byte " +
            std::to_string(rest.data() - file.data()) + ": " + problem;
    return false;
  }

  bool readVarint(uint64_t &value, std::string &error) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest.empty())
        return fail(error, "expected more of a varint, found the end");
      auto byte = static_cast<unsigned char>(rest.front());
      // The tenth byte has room for one bit.
      if (shift == 63 && byte > 1) break;
      rest.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return fail(error, "expected a varint of 64 bits, found a longer one");
  }

  bool readFixed(size_t size, uint64_t &value, std::string &error) {
    if (rest.size() < size)
      return fail(error, "expected " + std::to_string(size) + " bytes, found " +
                             std::to_string(rest.size()));
    value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(rest[i]))
               << (8 * i);
    rest.remove_prefix(size);
    return true;
  }

  bool readBytes(std::string_view &bytes, std::string &error) {
    uint64_t size = 0;
    if (!readVarint(size, error)) return false;
    if (size > rest.size())
      return fail(error, "expected " + std::to_string(size) + " bytes, found " +
                             std::to_string(rest.size()));
    bytes = rest.substr(0, size);
    rest.remove_prefix(size);
    return true;
  }

  std::string_view rest;
  std::string_view file;
};

// What the trainer and the normaliser recorded, with the proto's defaults.
struct Settings {
  int64_t modelType = 1;
  bool byteFallback = false;
  bool whitespaceAsSuffix = false;
  int64_t unkId = 0;
  std::string_view unkSurface = " \xE2\x81\x87 ";
  std::string_view bosPiece = "<s>";
  std::string_view eosPiece = "</s>";
  std::string_view padPiece = "<pad>";
  size_t charsmapBytes = 0;
  bool addDummyPrefix = true;
  bool removeExtraWhitespaces = true;
  bool escapeWhitespaces = true;
};

class ModelReader {
 public:
  ModelReader(std::string_view file, std::string &error)
      : file(file), error(error) {}

  bool read(TokenizerModel &model) {
    WireReader reader(file, file);
    WireField field;
    while (reader.next(field, error)) {
      bool good = true;
      if (field.number == 1)
        good = expectBytes(field) && readPiece(field.bytes, model);
      else if (field.number == 2)
        good = expectBytes(field) && readTrainer(field.bytes);
      else if (field.number == 3)
        good = expectBytes(field) && readNormalizer(field.bytes);
      if (!good) return false;
    }
    if (!error.empty()) return false;
    if (!checkSettings()) return false;
    applySettings(model);
    return true;
  }

 private:
  bool expectType(const WireField &field, WireType type) {
    if (field.type == type) return true;
    error = "tokenizer.model: field " + std::to_string(field.number) +
            ": expected wire type " + std::to_string(static_cast<int>(type)) +
            ", found " + std::to_string(static_cast<int>(field.type));
    return false;
  }

  bool expectBytes(const WireField &field) {
    return expectType(field, WireType::Bytes);
  }

  bool take(const WireField &field, std::string_view &into) {
    if (!expectBytes(field)) return false;
    into = field.bytes;
    return true;
  }

  bool take(const WireField &field, bool &into) {
    if (!expectType(field, WireType::Varint)) return false;
    into = field.value != 0;
    return true;
  }

  bool take(const WireField &field, int64_t &into) {
    if (!expectType(field, WireType::Varint)) return false;
    into = static_cast<int64_t>(field.value);
    return true;
  }

  bool readPiece(std::string_view message, TokenizerModel &model) {
    if (model.pieces.size() == kMaxPieces) {
      error = "tokenizer.model: expected at most " +
              std::to_string(kMaxPieces) + " pieces, found more";
      return false;
    }
    TokenizerPiece piece;
    int64_t type = 1;
    std::string_view text;
    WireReader reader(message, file);
    WireField field;
    while (reader.next(field, error)) {
      bool good = true;
      if (field.number == 1) {
        good = take(field, text);
      } else if (field.number == 2) {
        good = expectType(field, WireType::Fixed32);
        piece.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      } else if (field.number == 3) {
        good = take(field, type);
      }
      if (!good) return false;
    }
    if (!error.empty()) return false;
    if (type < 1 || type > 6) {
      error = "tokenizer.model: piece " + std::to_string(model.pieces.size()) +
              ": expected a type from 1 to 6, found " + std::to_string(type);
      return false;
    }
    piece.type = static_cast<PieceType>(type);
    piece.text = text;
    model.pieces.push_back(std::move(piece));
    return true;
  }

  bool readTrainer(std::string_view message) {
    WireReader reader(message, file);
    WireField field;
    bool good = true;
    while (good && reader.next(field, error)) {
      switch (field.number) {
        case 3:
          good = take(field, settings.modelType);
          break;
        case 24:
          good = take(field, settings.whitespaceAsSuffix);
          break;
        case 35:
          good = take(field, settings.byteFallback);
          break;
        case 40:
          good = take(field, settings.unkId);
          break;
        case 44:
          good = take(field, settings.unkSurface);
          break;
        case 46:
          good = take(field, settings.bosPiece);
          break;
        case 47:
          good = take(field, settings.eosPiece);
          break;
        case 48:
          good = take(field, settings.padPiece);
          break;
      }
    }
    return good && error.empty();
  }

  bool readNormalizer(std::string_view message) {
    WireReader reader(message, file);
    WireField field;
    std::string_view charsmap;
    bool good = true;
    while (good && reader.next(field, error)) {
      switch (field.number) {
        case 2:
          good = take(field, charsmap);
          break;
        case 3:
          good = take(field, settings.addDummyPrefix);
          break;
        case 4:
          good = take(field, settings.removeExtraWhitespaces);
          break;
        case 5:
          good = take(field, settings.escapeWhitespaces);
          break;
      }
    }
    if (!charsmap.empty()) settings.charsmapBytes = charsmap.size();
    return good && error.empty();
  }

  bool expectFlag(const char *name, bool found, bool wanted) {
    if (found == wanted) return true;
    error = std::string("tokenizer.model: expected ") + name + " = " +
            (wanted ? "true" : "false") + " as in every Gemma, found " +
            (found ? "true" : "false");
    return false;
  }

  bool checkSettings() {
    if (settings.modelType != 2) {
      error =
          "tokenizer.model: expected a byte-pair model (model_type 2), "
          "found model_type " +
          std::to_string(settings.modelType);
      return false;
    }
    if (settings.charsmapBytes != 0) {
      error =
          "tokenizer.model: expected no normalisation of characters, found "
          "a charsmap of " +
          std::to_string(settings.charsmapBytes) + " bytes";
      return false;
    }
    return expectFlag("byte_fallback", settings.byteFallback, true) &&
           expectFlag("treat_whitespace_as_suffix", settings.whitespaceAsSuffix,
                      false) &&
           expectFlag("add_dummy_prefix", settings.addDummyPrefix, false) &&
           expectFlag("remove_extra_whitespaces",
                      settings.removeExtraWhitespaces, false) &&
           expectFlag("escape_whitespaces", settings.escapeWhitespaces, true);
  }

  // bos, eos and pad are whichever Control pieces carry the recorded names; a
  // present but empty name stands for the default.
  void applySettings(TokenizerModel &model) {
    if (settings.bosPiece.empty()) settings.bosPiece = "<s>";
    if (settings.eosPiece.empty()) settings.eosPiece = "</s>";
    if (settings.padPiece.empty()) settings.padPiece = "<pad>";
    for (size_t id = 0; id < model.pieces.size(); ++id) {
      TokenizerPiece &piece = model.pieces[id];
      if (piece.type == PieceType::Control) {
        auto number = static_cast<int32_t>(id);
        if (piece.text == settings.bosPiece) model.bosId = number;
        if (piece.text == settings.eosPiece) model.eosId = number;
        if (piece.text == settings.padPiece) model.padId = number;
      }
    }
    bool inRange = settings.unkId >= 0 &&
                   settings.unkId < static_cast<int64_t>(model.pieces.size());
    model.unkId = inRange ? static_cast<int32_t>(settings.unkId) : -1;
    model.unkSurface = settings.unkSurface;
    model.addBos = model.bosId >= 0;
  }

  std::string_view file;
  std::string &error;
  Settings settings;
};

}  // namespace

std::optional<TokenizerModel> readSentencePieceModel(std::string_view bytes,
                                                     std::string &error) {
  error.clear();
  TokenizerModel model;
  ModelReader reader(bytes, error);
  if (!reader.read(model) || !validateTokenizer(model, error))
    return std::nullopt;
  return model;
}

}  // namespace gemmac::importer
