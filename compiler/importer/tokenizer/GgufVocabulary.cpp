// SPDX-License-Identifier: Apache-2.0
// tokenizer.ggml.* arrays -> TokenizerModel. What the converters changed and is
// undone here: <unk> became Control, the spaces of UserDefined pieces became
// real spaces, and pieces without a score got -1000.
#include "compiler/importer/tokenizer/GgufVocabulary.h"

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

Result<void> checkSize(const char *name, size_t found, size_t wanted) {
  if (found == wanted) return {};
  return Failure{std::string("tokenizer.ggml.") + name + ": expected " +
                 std::to_string(wanted) + " entries, one a token, found " +
                 std::to_string(found)};
}

Result<void> checkArrays(const GgufVocabulary &vocabulary, bool byMerges) {
  size_t count = vocabulary.tokens.size();
  if (count == 0 || count > kMaxPieces)
    return Failure{"tokenizer.ggml.tokens: expected 1 to " +
                   std::to_string(kMaxPieces) + " entries, found " +
                   std::to_string(count)};
  if (auto good = checkSize("token_type", vocabulary.types.size(), count);
      !good)
    return good;
  if (!byMerges)
    if (auto good = checkSize("scores", vocabulary.scores.size(), count); !good)
      return good;
  if (byMerges && vocabulary.merges.empty())
    return Failure{"tokenizer.ggml.merges: expected merges for the model \"" +
                   vocabulary.model + "\", found none"};
  if (vocabulary.addSpacePrefix)
    return Failure{
        "tokenizer.ggml.add_space_prefix: expected false as in every Gemma, "
        "found true"};
  return {};
}

// GGUF's ids are unsigned 32-bit; -1 and the all-ones value mean none.
Result<int32_t> narrowId(const char *name, int64_t id, size_t count) {
  if (id == -1 || id == 0xFFFFFFFF) return -1;
  if (id >= 0 && static_cast<uint64_t>(id) < count)
    return static_cast<int32_t>(id);
  return Failure{std::string("tokenizer.ggml.") + name +
                 ": expected an id below " + std::to_string(count) +
                 ", found " + std::to_string(id)};
}

Result<void> takeIds(const GgufVocabulary &vocabulary, TokenizerModel &model) {
  struct {
    const char *name;
    int64_t id;
    int32_t &into;
  } ids[] = {{"unknown_token_id", vocabulary.unkId, model.unkId},
             {"bos_token_id", vocabulary.bosId, model.bosId},
             {"eos_token_id", vocabulary.eosId, model.eosId},
             {"padding_token_id", vocabulary.padId, model.padId}};
  for (auto &[name, id, into] : ids) {
    Result<int32_t> narrow = narrowId(name, id, vocabulary.tokens.size());
    if (!narrow) return narrow.failure();
    into = *narrow;
  }
  return {};
}

Result<void> takePieces(GgufVocabulary &vocabulary, bool byMerges,
                        TokenizerModel &model) {
  size_t count = vocabulary.tokens.size();
  model.pieces.resize(count);
  for (size_t id = 0; id < count; ++id) {
    TokenizerPiece &piece = model.pieces[id];
    int32_t type = vocabulary.types[id];
    if (type < 1 || type > 6)
      return Failure{"tokenizer.ggml.token_type: entry " + std::to_string(id) +
                     ": expected 1 to 6, found " + std::to_string(type)};
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
  return {};
}

Result<void> applyMerges(const GgufVocabulary &vocabulary,
                         TokenizerModel &model) {
  std::vector<TokenizerMerge> merges;
  merges.reserve(vocabulary.merges.size());
  for (size_t i = 0; i < vocabulary.merges.size(); ++i) {
    std::string_view merge = vocabulary.merges[i];
    size_t space = merge.find(' ');
    bool two = space != std::string_view::npos && space > 0 &&
               space + 1 < merge.size() &&
               merge.find(' ', space + 1) == std::string_view::npos;
    if (!two)
      return Failure{"tokenizer.ggml.merges: entry " + std::to_string(i) +
                     ": expected two pieces with a space between, found " +
                     quotePiece(merge)};
    merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return scoreByMerges(model, merges);
}

}  // namespace

Result<TokenizerModel> readGgufVocabulary(GgufVocabulary vocabulary) {
  bool byMerges = vocabulary.model == "gemma4";
  if (!byMerges && vocabulary.model != "llama")
    return Failure{
        "tokenizer.ggml.model: expected \"llama\" or \"gemma4\", found " +
        quotePiece(vocabulary.model)};
  if (Result<void> good = checkArrays(vocabulary, byMerges); !good)
    return good.failure();
  TokenizerModel model;
  model.addBos = vocabulary.addBos;
  if (Result<void> good = takeIds(vocabulary, model); !good)
    return good.failure();
  if (Result<void> good = takePieces(vocabulary, byMerges, model); !good)
    return good.failure();
  if (byMerges)
    if (Result<void> good = applyMerges(vocabulary, model); !good)
      return good.failure();
  if (Result<void> good = validateTokenizer(model); !good)
    return good.failure();
  return model;
}

}  // namespace gemmac::importer
