// SPDX-License-Identifier: Apache-2.0
// tokenizer.json -> TokenizerModel; see the header. Merges become scores
// (MergeRanks.h). The pipeline's steps are compared with Gemma's and then
// dropped: the run-time does the same things natively.
#include "compiler/importer/tokenizer/TokenizerJson.h"

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/importer/tokenizer/MergeRanks.h"

namespace gemmac::importer {
namespace {

using Json = nlohmann::json;

constexpr const char *kSpaceMark = "\xE2\x96\x81";  // U+2581

// The value under `key`, null where there is none.
const Json &field(const Json &object, const char *key) {
  static const Json null;
  if (!object.is_object()) return null;
  auto found = object.find(key);
  return found == object.end() ? null : *found;
}

bool isText(const Json &value, std::string_view text) {
  return value.is_string() && value.get_ref<const std::string &>() == text;
}

bool isNothing(const Json &value) { return value.is_null() || value == ""; }

bool isFalse(const Json &value) { return value.is_null() || value == false; }

// {"type": "Replace", "pattern": {"String": from}, "content": to}
bool isReplace(const Json &step, std::string_view from, std::string_view to) {
  return isText(field(step, "type"), "Replace") &&
         isText(field(field(step, "pattern"), "String"), from) &&
         isText(field(step, "content"), to);
}

// A split at spaces finds none: they were replaced before.
bool isSplitAtSpaces(const Json &step) {
  return isText(field(step, "type"), "Split") &&
         isText(field(field(step, "pattern"), "String"), " ");
}

bool isGemmaDecoder(const Json &decoder) {
  const Json &steps = field(decoder, "decoders");
  return isText(field(decoder, "type"), "Sequence") && steps.is_array() &&
         steps.size() == 3 && isReplace(steps[0], kSpaceMark, " ") &&
         isText(field(steps[1], "type"), "ByteFallback") &&
         isText(field(steps[2], "type"), "Fuse");
}

// A part of the file that must be Gemma's.
struct Expectation {
  const char *name;
  bool good;
  const char *wanted;
  const Json &found;
};

class JsonReader {
 public:
  explicit JsonReader(const Json &root) : root(root) {}

  Result<TokenizerModel> read(const TokenizerRoles &roles) {
    TokenizerModel model;
    for (auto check : {&JsonReader::checkPipeline, &JsonReader::checkBytePairs})
      if (Result<void> good = (this->*check)(); !good) return good.failure();
    for (auto take : {&JsonReader::takeVocabulary, &JsonReader::takeAddedTokens,
                      &JsonReader::checkGaps})
      if (Result<void> good = (this->*take)(model); !good)
        return good.failure();
    takeRoles(roles, model);
    if (Result<void> good = takeMerges(model); !good) return good.failure();
    return model;
  }

 private:
  static Failure fail(const std::string &message) {
    return {"tokenizer.json: " + message};
  }

  static Result<void> expect(std::initializer_list<Expectation> all) {
    for (const Expectation &one : all) {
      if (one.good) continue;
      std::string text =
          one.found.dump(-1, ' ', true, Json::error_handler_t::replace)
              .substr(0, 120);
      return fail(std::string(one.name) + ": expected " + one.wanted +
                  " as in every Gemma, found " + text);
    }
    return {};
  }

  Result<void> checkPipeline() {
    const Json &normalizer = field(root, "normalizer");
    const Json &splitter = field(root, "pre_tokenizer");
    const Json &decoder = field(root, "decoder");
    return expect(
        {{"normalizer", isReplace(normalizer, " ", kSpaceMark),
          "a replacement of spaces by U+2581", normalizer},
         {"pre_tokenizer", splitter.is_null() || isSplitAtSpaces(splitter),
          "none or a split at spaces", splitter},
         {"decoder", isGemmaDecoder(decoder), "Replace, ByteFallback and Fuse",
          decoder}});
  }

  Result<void> checkBytePairs() {
    const Json &model = field(root, "model");
    auto is = [&](const char *key, bool (*good)(const Json &),
                  const char *wanted) {
      const Json &value = field(model, key);
      return Expectation{key, good(value), wanted, value};
    };
    return expect(
        {is(
             "type", [](const Json &v) { return isText(v, "BPE"); }, "\"BPE\""),
         is(
             "byte_fallback", [](const Json &v) { return v == true; }, "true"),
         is("ignore_merges", isFalse, "false"),
         is(
             "dropout", [](const Json &v) { return v.is_null(); }, "none"),
         is("continuing_subword_prefix", isNothing, "none"),
         is("end_of_word_suffix", isNothing, "none"),
         is(
             "unk_token", [](const Json &v) { return v.is_string(); },
             "a piece")});
  }

  static Result<size_t> takeId(const Json &value, const std::string &text) {
    if (value.is_number_unsigned() &&
        value.get<uint64_t>() < uint64_t(kMaxPieces))
      return value.get<size_t>();
    return fail("piece " + quotePiece(text) + ": expected an id below " +
                std::to_string(kMaxPieces) + ", found " +
                value.dump().substr(0, 40));
  }

  // The piece of an id, of which each is taken once.
  Result<void> place(TokenizerModel &model, size_t id, const std::string &text,
                     PieceType type) {
    // Ids that a file of this size could list, not any that it names.
    if (id >= most)
      return fail("piece " + quotePiece(text) + ": expected an id below " +
                  std::to_string(most) + ", the number of pieces, found " +
                  std::to_string(id));
    if (id >= model.pieces.size()) model.pieces.resize(id + 1);
    TokenizerPiece &piece = model.pieces[id];
    if (!piece.text.empty() && piece.text != text)
      return fail("expected one piece of id " + std::to_string(id) +
                  ", found " + quotePiece(piece.text) + " and " +
                  quotePiece(text));
    if (text.empty()) return fail("piece " + std::to_string(id) + " is empty");
    piece.text = text;
    piece.type = type;
    return {};
  }

  Result<void> takeVocabulary(TokenizerModel &model) {
    const Json &vocabulary = field(field(root, "model"), "vocab");
    const Json &added = field(root, "added_tokens");
    if (!vocabulary.is_object() || vocabulary.empty())
      return fail("model.vocab: expected an object of pieces");
    most = vocabulary.size() + (added.is_array() ? added.size() : 0);
    if (most > kMaxPieces)
      return fail("expected at most " + std::to_string(kMaxPieces) +
                  " pieces, found " + std::to_string(most));
    const Json &firstByte = field(vocabulary, "<0x00>");
    for (const auto &[key, value] : vocabulary.items()) {
      Result<size_t> id = takeId(value, key);
      if (!id) return id.failure();
      // The tab of older vocabularies has no piece but its byte's.
      bool isTabByte = key == "\t" && firstByte.is_number_unsigned() &&
                       *id == firstByte.get<size_t>() + '\t';
      std::string text = isTabByte ? "<0x09>" : key;
      PieceType type = isBytePiece(text) ? PieceType::Byte : PieceType::Normal;
      if (Result<void> good = place(model, *id, text, type); !good) return good;
    }
    return {};
  }

  static bool isBytePiece(std::string_view text) {
    auto isHex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
    };
    return text.size() == 6 && text.substr(0, 3) == "<0x" && isHex(text[3]) &&
           isHex(text[4]) && text[5] == '>';
  }

  Result<void> takeAddedTokens(TokenizerModel &model) {
    const Json &added = field(root, "added_tokens");
    if (added.is_null()) return {};
    if (!added.is_array()) return fail("added_tokens: expected a list");
    for (const Json &token : added) {
      const Json &content = field(token, "content");
      if (!content.is_string() || content == "")
        return fail("added_tokens: expected a content of some text");
      const auto &text = content.get_ref<const std::string &>();
      for (const char *flag : {"single_word", "lstrip", "rstrip"})
        if (!isFalse(field(token, flag)))
          return fail("added token " + quotePiece(text) + ": expected " + flag +
                      " false as in every Gemma, found another");
      Result<size_t> id = takeId(field(token, "id"), text);
      if (!id) return id.failure();
      PieceType type = field(token, "special") == true ? PieceType::Control
                                                       : PieceType::UserDefined;
      if (Result<void> good = place(model, *id, text, type); !good) return good;
    }
    return {};
  }

  Result<void> checkGaps(TokenizerModel &model) {
    for (size_t id = 0; id < model.pieces.size(); ++id)
      if (model.pieces[id].text.empty())
        return fail("expected a piece of every id below " +
                    std::to_string(model.pieces.size()) + ", found none of " +
                    std::to_string(id));
    return {};
  }

  void takeRoles(const TokenizerRoles &roles, TokenizerModel &model) {
    const auto &unknown =
        field(field(root, "model"), "unk_token").get_ref<const std::string &>();
    for (size_t id = 0; id < model.pieces.size(); ++id) {
      TokenizerPiece &piece = model.pieces[id];
      auto number = static_cast<int32_t>(id);
      if (piece.text == unknown) {
        model.unkId = number;
        piece.type = PieceType::Unknown;
      }
      if (piece.text == roles.bos) model.bosId = number;
      if (piece.text == roles.eos) model.eosId = number;
      if (piece.text == roles.pad) model.padId = number;
    }
    model.addBos = roles.addBos && model.bosId >= 0;
  }

  // "left right" of older files, ["left", "right"] of newer ones.
  Result<void> takeMerges(TokenizerModel &model) {
    const Json &list = field(field(root, "model"), "merges");
    if (!list.is_array() || list.empty())
      return fail("model.merges: expected a list of merges");
    std::vector<TokenizerMerge> merges;
    merges.reserve(list.size());
    for (const Json &merge : list) {
      if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
          merge[1].is_string()) {
        merges.emplace_back(merge[0].get_ref<const std::string &>(),
                            merge[1].get_ref<const std::string &>());
        continue;
      }
      std::string_view text =
          merge.is_string()
              ? std::string_view(merge.get_ref<const std::string &>())
              : std::string_view();
      size_t space = text.find(' ');
      if (space == std::string_view::npos ||
          text.find(' ', space + 1) != std::string_view::npos)
        return fail("model.merges: entry " + std::to_string(merges.size()) +
                    ": expected two pieces");
      merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
    return scoreByMerges(model, merges);
  }

  const Json &root;
  size_t most = 0;  // pieces that the file lists
};

}  // namespace

Result<TokenizerModel> readTokenizerJson(const Json &root,
                                         const TokenizerRoles &roles) {
  Result<TokenizerModel> model = JsonReader(root).read(roles);
  if (!model) return model;
  if (Result<void> good = validateTokenizer(*model); !good)
    return good.failure();
  return model;
}

}  // namespace gemmac::importer
