// SPDX-License-Identifier: Apache-2.0
// tokenizer.model bytes -> TokenizerModel: the meaning of the fields that we
// need. Unknown fields are skipped, as protobuf demands.
#include "compiler/importer/tokenizer/SentencePieceModel.h"

#include <cstdint>
#include <string>
#include <utility>

#include "compiler/importer/tokenizer/ProtobufReader.h"

namespace gemmac::importer {
namespace {

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
  std::string_view charsmap;
  bool addDummyPrefix = true;
  bool removeExtraWhitespaces = true;
  bool escapeWhitespaces = true;
};

Result<void> readPiece(std::string_view message, std::string_view file,
                       TokenizerModel &model) {
  if (model.pieces.size() == kMaxPieces)
    return Failure{"tokenizer.model: expected at most " +
                   std::to_string(kMaxPieces) + " pieces, found more"};
  TokenizerPiece piece;
  int64_t type = 1;
  std::string_view text;
  Result<void> read =
      eachField(message, file, [&](const ProtobufField &field) -> Result<void> {
        switch (field.number) {
          case 1:
            return field.take(text);
          case 2:
            return field.take(piece.score);
          case 3:
            return field.take(type);
        }
        return {};
      });
  if (!read) return read;
  if (type < 1 || type > 6)
    return Failure{
        "tokenizer.model: piece " + std::to_string(model.pieces.size()) +
        ": expected a type from 1 to 6, found " + std::to_string(type)};
  piece.type = static_cast<PieceType>(type);
  piece.text = text;
  model.pieces.push_back(std::move(piece));
  return {};
}

Result<void> readTrainer(std::string_view message, std::string_view file,
                         Settings &settings) {
  return eachField(message, file,
                   [&](const ProtobufField &field) -> Result<void> {
                     switch (field.number) {
                       case 3:
                         return field.take(settings.modelType);
                       case 24:
                         return field.take(settings.whitespaceAsSuffix);
                       case 35:
                         return field.take(settings.byteFallback);
                       case 40:
                         return field.take(settings.unkId);
                       case 44:
                         return field.take(settings.unkSurface);
                       case 46:
                         return field.take(settings.bosPiece);
                       case 47:
                         return field.take(settings.eosPiece);
                       case 48:
                         return field.take(settings.padPiece);
                     }
                     return {};
                   });
}

Result<void> readNormalizer(std::string_view message, std::string_view file,
                            Settings &settings) {
  return eachField(message, file,
                   [&](const ProtobufField &field) -> Result<void> {
                     switch (field.number) {
                       case 2:
                         return field.take(settings.charsmap);
                       case 3:
                         return field.take(settings.addDummyPrefix);
                       case 4:
                         return field.take(settings.removeExtraWhitespaces);
                       case 5:
                         return field.take(settings.escapeWhitespaces);
                     }
                     return {};
                   });
}

Result<void> readFile(std::string_view file, TokenizerModel &model,
                      Settings &settings) {
  return eachField(file, file, [&](const ProtobufField &field) -> Result<void> {
    if (field.number < 1 || field.number > 3) return {};
    std::string_view message;
    if (Result<void> good = field.take(message); !good) return good;
    if (field.number == 1) return readPiece(message, file, model);
    if (field.number == 2) return readTrainer(message, file, settings);
    return readNormalizer(message, file, settings);
  });
}

Result<void> checkSettings(const Settings &settings) {
  if (settings.modelType != 2)
    return Failure{
        "tokenizer.model: expected a byte-pair model (model_type 2), found "
        "model_type " +
        std::to_string(settings.modelType)};
  if (!settings.charsmap.empty())
    return Failure{
        "tokenizer.model: expected no normalisation of characters, found a "
        "charsmap of " +
        std::to_string(settings.charsmap.size()) + " bytes"};
  struct {
    const char *name;
    bool found, wanted;
  } flags[] = {
      {"byte_fallback", settings.byteFallback, true},
      {"treat_whitespace_as_suffix", settings.whitespaceAsSuffix, false},
      {"add_dummy_prefix", settings.addDummyPrefix, false},
      {"remove_extra_whitespaces", settings.removeExtraWhitespaces, false},
      {"escape_whitespaces", settings.escapeWhitespaces, true}};
  for (auto [name, found, wanted] : flags)
    if (found != wanted)
      return Failure{std::string("tokenizer.model: expected ") + name + " = " +
                     (wanted ? "true" : "false") +
                     " as in every Gemma, found " + (found ? "true" : "false")};
  return {};
}

// bos, eos and pad are whichever Control pieces carry the recorded names; a
// present but empty name stands for the default.
void applySettings(Settings settings, TokenizerModel &model) {
  if (settings.bosPiece.empty()) settings.bosPiece = "<s>";
  if (settings.eosPiece.empty()) settings.eosPiece = "</s>";
  if (settings.padPiece.empty()) settings.padPiece = "<pad>";
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    TokenizerPiece &piece = model.pieces[id];
    if (piece.type != PieceType::Control) continue;
    auto number = static_cast<int32_t>(id);
    if (piece.text == settings.bosPiece) model.bosId = number;
    if (piece.text == settings.eosPiece) model.eosId = number;
    if (piece.text == settings.padPiece) model.padId = number;
  }
  bool inRange = settings.unkId >= 0 &&
                 settings.unkId < static_cast<int64_t>(model.pieces.size());
  model.unkId = inRange ? static_cast<int32_t>(settings.unkId) : -1;
  model.unkSurface = settings.unkSurface;
  model.addBos = model.bosId >= 0;
}

}  // namespace

Result<TokenizerModel> readSentencePieceModel(std::string_view bytes) {
  TokenizerModel model;
  Settings settings;
  if (Result<void> good = readFile(bytes, model, settings); !good)
    return good.failure();
  if (Result<void> good = checkSettings(settings); !good) return good.failure();
  applySettings(settings, model);
  if (Result<void> good = validateTokenizer(model); !good)
    return good.failure();
  return model;
}

}  // namespace gemmac::importer
