// SPDX-License-Identifier: Apache-2.0
// tokenizer.ggml.* arrays -> TokenizerModel. What the converters changed and is
// undone here: <unk> became Control, the spaces of UserDefined pieces became
// real spaces, and pieces without a score got -1000.
#include "compiler/importer/tokenizer/GgufVocabulary.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/importer/tokenizer/MergeRanks.h"

namespace gemmac::importer {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

std::string withSpaceMarks(const std::string &text) {
  std::string marked;
  marked.reserve(text.size());
  for (char c : text) {
    if (c == ' ')
      marked += kSpaceMark;
    else
      marked += c;
  }
  return marked;
}

bool checkSize(const char *name, size_t found, size_t wanted,
               std::string &error) {
  if (found == wanted) return true;
  error = std::string("tokenizer.ggml.") + name + ": expected " +
          std::to_string(wanted) + " entries, one a token, found " +
          std::to_string(found);
  return false;
}

bool checkArrays(const GgufVocabulary &vocabulary, bool byMerges,
                 std::string &error) {
  size_t count = vocabulary.tokens.size();
  if (count == 0 || count > kMaxPieces) {
    error = "tokenizer.ggml.tokens: expected 1 to " +
            std::to_string(kMaxPieces) + " entries, found " +
            std::to_string(count);
    return false;
  }
  if (!checkSize("token_type", vocabulary.types.size(), count, error))
    return false;
  if (!byMerges && !checkSize("scores", vocabulary.scores.size(), count, error))
    return false;
  if (byMerges && vocabulary.merges.empty()) {
    error = "tokenizer.ggml.merges: expected merges for the model \"" +
            vocabulary.model + "\", found none";
    return false;
  }
  if (vocabulary.addSpacePrefix) {
    error =
        "tokenizer.ggml.add_space_prefix: expected false as in every "
        "Gemma, found true";
    return false;
  }
  return true;
}

// GGUF's ids are unsigned 32-bit; -1 and the all-ones value mean none.
bool narrowId(const char *name, int64_t id, size_t count, int32_t &into,
              std::string &error) {
  if (id == -1 || id == 0xFFFFFFFF) {
    into = -1;
    return true;
  }
  if (id >= 0 && static_cast<uint64_t>(id) < count) {
    into = static_cast<int32_t>(id);
    return true;
  }
  error = std::string("tokenizer.ggml.") + name + ": expected an id below " +
          std::to_string(count) + ", found " + std::to_string(id);
  return false;
}

bool takePieces(GgufVocabulary &vocabulary, bool byMerges,
                TokenizerModel &model, std::string &error) {
  size_t count = vocabulary.tokens.size();
  model.pieces.resize(count);
  for (size_t id = 0; id < count; ++id) {
    TokenizerPiece &piece = model.pieces[id];
    int32_t type = vocabulary.types[id];
    if (type < 1 || type > 6) {
      error = "tokenizer.ggml.token_type: entry " + std::to_string(id) +
              ": expected 1 to 6, found " + std::to_string(type);
      return false;
    }
    piece.type = static_cast<PieceType>(type);
    // GGUF has no use for the type, so another piece than <unk> in it is plain
    // text that must not be spelled.
    if (piece.type == PieceType::Unknown) piece.type = PieceType::Control;
    if (static_cast<int32_t>(id) == model.unkId)
      piece.type = PieceType::Unknown;
    piece.text = piece.type == PieceType::UserDefined
                     ? withSpaceMarks(vocabulary.tokens[id])
                     : std::move(vocabulary.tokens[id]);
    if (piece.type == PieceType::Normal && !byMerges)
      piece.score = vocabulary.scores[id];
  }
  return true;
}

bool applyMerges(const GgufVocabulary &vocabulary, TokenizerModel &model,
                 std::string &error) {
  std::vector<TokenizerMerge> merges;
  merges.reserve(vocabulary.merges.size());
  for (size_t i = 0; i < vocabulary.merges.size(); ++i) {
    std::string_view merge = vocabulary.merges[i];
    size_t space = merge.find(' ');
    bool two = space != std::string_view::npos && space > 0 &&
               space + 1 < merge.size() &&
               merge.find(' ', space + 1) == std::string_view::npos;
    if (!two) {
      error = "tokenizer.ggml.merges: entry " + std::to_string(i) +
              ": expected two pieces with a space between, found " +
              quotePiece(merge);
      return false;
    }
    merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return scoreByMerges(model, merges, error);
}

}  // namespace

std::optional<TokenizerModel> readGgufVocabulary(GgufVocabulary vocabulary,
                                                 std::string &error) {
  error.clear();
  bool byMerges = vocabulary.model == "gemma4";
  if (!byMerges && vocabulary.model != "llama") {
    error = "tokenizer.ggml.model: expected \"llama\" or \"gemma4\", found " +
            quotePiece(vocabulary.model);
    return std::nullopt;
  }
  if (!checkArrays(vocabulary, byMerges, error)) return std::nullopt;

  TokenizerModel model;
  model.addBos = vocabulary.addBos;
  size_t count = vocabulary.tokens.size();
  if (!narrowId("unknown_token_id", vocabulary.unkId, count, model.unkId,
                error) ||
      !narrowId("bos_token_id", vocabulary.bosId, count, model.bosId, error) ||
      !narrowId("eos_token_id", vocabulary.eosId, count, model.eosId, error) ||
      !narrowId("padding_token_id", vocabulary.padId, count, model.padId,
                error) ||
      !takePieces(vocabulary, byMerges, model, error) ||
      (byMerges && !applyMerges(vocabulary, model, error)) ||
      !validateTokenizer(model, error))
    return std::nullopt;
  return model;
}

}  // namespace gemmac::importer
