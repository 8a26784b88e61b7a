// SPDX-License-Identifier: Apache-2.0
// TokenizerModel -> the LITE runtime's FlatBuffer. Besides the pieces it holds
// what makes loading instant and encoding fast: double-array tries of all
// pieces and of the UserDefined ones, a trie of character pairs that tells
// where text may be cut before merging, and flags for pieces that a cut-out
// word may be looked up as directly. Source: sentencepiece_lite.fbs.
#include "compiler/importer/tokenizer/TokenizerBlob.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "darts.h"
#include "flatbuffers/flatbuffers.h"
#include "sentencepiece_lite.h"
#include "sentencepiece_lite_generated.h"

namespace gemmac::importer {
namespace {

namespace lite = sentencepiece::lite;
using Bytes = std::vector<uint8_t>;

// Encoding a piece costs more than linear time, and no word is that long.
constexpr size_t kMaxDirectBytes = 128;

Bytes copyTrie(const Darts::DoubleArray &trie) {
  auto *from = static_cast<const uint8_t *>(trie.array());
  return Bytes(from, from + trie.total_size());
}

// The trie text -> id of the pieces in `ids`, whose texts are distinct and
// without NUL.
Bytes buildPieceTrie(const TokenizerModel &model, std::vector<int> ids) {
  auto text = [&](int id) -> const std::string & {
    return model.pieces[id].text;
  };
  // std::string compares as unsigned bytes, which is the order darts needs.
  std::sort(ids.begin(), ids.end(),
            [&](int a, int b) { return text(a) < text(b); });
  std::vector<const char *> keys;
  std::vector<size_t> lengths;
  for (int id : ids) {
    keys.push_back(text(id).data());
    lengths.push_back(text(id).size());
  }
  Darts::DoubleArray trie;
  trie.build(keys.size(), keys.data(), lengths.data(), ids.data());
  return copyTrie(trie);
}

// Bytes of the character at text's front, by its lead byte, as the run-time
// walks it.
size_t charBytes(std::string_view text) {
  auto lead = static_cast<unsigned char>(text.front());
  size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(bytes, text.size());
}

// Two characters in a row: at most 8 bytes, none of them 0, so that they fit
// an integer whose order is the texts' bytewise order.
using CharPair = uint64_t;

CharPair packPair(std::string_view text) {
  CharPair pair = 0;
  for (size_t i = 0; i < text.size(); ++i)
    pair |= static_cast<CharPair>(static_cast<unsigned char>(text[i]))
            << (56 - 8 * i);
  return pair;
}

size_t unpackPair(CharPair pair, std::array<char, 8> &text) {
  size_t size = 0;
  for (; size < 8 && (pair >> (56 - 8 * size) & 0xFF) != 0; ++size)
    text[size] = static_cast<char>(pair >> (56 - 8 * size));
  return size;
}

std::vector<CharPair> collectPairs(const TokenizerModel &model) {
  std::vector<CharPair> pairs;
  for (const TokenizerPiece &piece : model.pieces) {
    std::string_view rest = piece.text;
    size_t first = charBytes(rest);
    while (rest.size() > first) {
      size_t second = charBytes(rest.substr(first));
      pairs.push_back(packPair(rest.substr(0, first + second)));
      rest.remove_prefix(first);
      first = second;
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

// A double-array trie's units, walked by hand because darts hides positions.
class TrieWalk {
 public:
  explicit TrieWalk(const Bytes &trie) : units(trie.size() / 4) {
    std::memcpy(units.data(), trie.data(), units.size() * 4);
  }

  // The position of `key`'s node counted from the root; 0 (the root) if there
  // is none.
  uint32_t node(std::string_view key) const {
    uint32_t at = 0;
    for (char c : key) {
      auto byte = static_cast<unsigned char>(c);
      at ^= offset(units[at]) ^ byte;
      if (at >= units.size() || label(units[at]) != byte) return 0;
    }
    return at;
  }

  // The position of the leaf that holds the value of a key in the trie.
  uint32_t leaf(std::string_view key) const {
    uint32_t at = node(key);
    return at ^ offset(units[at]);
  }

  size_t size() const { return units.size(); }

 private:
  static uint32_t offset(uint32_t unit) {
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
  }
  static uint32_t label(uint32_t unit) { return unit & ((1u << 31) | 0xFF); }

  std::vector<uint32_t> units;
};

// The trie of character pairs. Each leaf holds the node of the pair's second
// character as the first of another pair, so that the run-time walks from pair
// to pair without going back to the root.
bool buildPairTrie(const TokenizerModel &model, Bytes &bytes) {
  std::vector<CharPair> pairs = collectPairs(model);
  if (pairs.empty()) return true;
  std::vector<std::array<char, 8>> texts(pairs.size());
  std::vector<const char *> keys;
  std::vector<size_t> lengths;
  for (size_t i = 0; i < pairs.size(); ++i) {
    lengths.push_back(unpackPair(pairs[i], texts[i]));
    keys.push_back(texts[i].data());
  }
  // Without values darts builds a plain trie, where each pair has a leaf of
  // its own; with values it would share leaves.
  Darts::DoubleArray trie;
  trie.build(keys.size(), keys.data(), lengths.data());
  bytes = copyTrie(trie);
  TrieWalk walk(bytes);
  for (size_t i = 0; i < pairs.size(); ++i) {
    std::string_view pair(keys[i], lengths[i]);
    uint32_t leaf = walk.leaf(pair);
    if (leaf >= walk.size()) return false;
    uint32_t value = walk.node(pair.substr(charBytes(pair))) | 1u << 31;
    std::memcpy(bytes.data() + size_t{leaf} * 4, &value, 4);
  }
  return true;
}

std::string pack(const lite::ModelProtoT &proto) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(lite::ModelProto::Pack(builder, &proto));
  auto *data = reinterpret_cast<const char *>(builder.GetBufferPointer());
  return std::string(data, builder.GetSize());
}

// Fills the flags of pieces which, met as a whole word, are that one token.
// Found by encoding each piece with the model itself, still without them.
bool fillDirectMappings(const TokenizerModel &model, lite::ModelProtoT &proto) {
  std::string draft = pack(proto);
  lite::SentencePieceLiteProcessor processor{std::string_view(draft)};
  if (processor.status() != lite::StatusCode::kOk) return false;
  bool any = false, all = true;
  std::vector<uint8_t> direct(model.pieces.size(), 0);
  std::vector<int> ids;
  for (size_t id = 0; id < direct.size(); ++id) {
    const TokenizerPiece &piece = model.pieces[id];
    // The run-time ignores the flags of pieces that text cannot spell; 1 lets
    // the whole array be left out where it is all ones.
    if (piece.type != PieceType::Normal &&
        piece.type != PieceType::UserDefined) {
      direct[id] = 1;
      continue;
    }
    bool one = piece.text.size() <= kMaxDirectBytes &&
               processor.EncodeNormalizedChunk(piece.text, &ids) ==
                   lite::StatusCode::kOk &&
               ids.size() == 1 && ids[0] == static_cast<int>(id);
    direct[id] = one;
    any |= one;
    all &= one;
  }
  proto.has_direct_mappings = any;
  if (any && !all) proto.is_direct_mapping = std::move(direct);
  return true;
}

void fillPieces(const TokenizerModel &model, lite::ModelProtoT &proto) {
  auto controlOrNone = [&](int32_t id) {
    bool control = id >= 0 && model.pieces[id].type == PieceType::Control;
    return control ? id : -1;
  };
  proto.model_type = lite::ModelType_BPE;
  proto.unk_id = model.unkId;
  proto.unk_surface = model.unkSurface;
  proto.bos_id = controlOrNone(model.bosId);
  proto.eos_id = controlOrNone(model.eosId);
  proto.pad_id = controlOrNone(model.padId);
  std::vector<int> all, userDefined;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const TokenizerPiece &piece = model.pieces[id];
    proto.pieces.push_back(piece.text);
    // Only Normal scores are checked to be integers, and only they count.
    bool ranked = piece.type == PieceType::Normal;
    proto.int_scores.push_back(ranked ? static_cast<int32_t>(piece.score) : 0);
    proto.types.push_back(static_cast<lite::PieceType>(piece.type));
    all.push_back(static_cast<int>(id));
    if (piece.type == PieceType::UserDefined)
      userDefined.push_back(static_cast<int>(id));
  }
  proto.pieces_trie_blob = buildPieceTrie(model, std::move(all));
  if (!userDefined.empty())
    proto.prefix_matcher_trie_blob =
        buildPieceTrie(model, std::move(userDefined));
}

void fillNormalizer(lite::ModelProtoT &proto) {
  proto.normalizer_spec = std::make_unique<lite::NormalizerSpecT>();
  proto.normalizer_spec->name = "identity";
  proto.normalizer_spec->add_dummy_prefix = false;
  proto.normalizer_spec->remove_extra_whitespaces = false;
  proto.normalizer_spec->escape_whitespaces = true;
  proto.normalizer_spec->treat_whitespace_as_suffix = false;
}

Result<std::string> build(const TokenizerModel &model) {
  lite::ModelProtoT proto;
  fillPieces(model, proto);
  // Before the normaliser and the pairs: pieces are normalised already, and
  // are to be encoded uncut.
  if (!fillDirectMappings(model, proto))
    return Failure{"tokenizer: the run-time refuses the vocabulary"};
  fillNormalizer(proto);
  if (!buildPairTrie(model, proto.char_bigram_trie_blob))
    return Failure{"tokenizer: the trie of character pairs is inconsistent"};
  std::string blob = pack(proto);
  lite::SentencePieceLiteProcessor processor{std::string_view(blob)};
  if (processor.status() == lite::StatusCode::kOk) return blob;
  return Failure{
      "tokenizer: the run-time refuses the finished section, status " +
      std::to_string(static_cast<int>(processor.status()))};
}

}  // namespace

Result<std::string> writeTokenizerBlob(const TokenizerModel &model) {
  if (Result<void> good = validateTokenizer(model); !good)
    return good.failure();
  // darts throws when a trie outgrows its offsets, and any of it may run out of
  // memory; neither may leave this library.
  try {
    return build(model);
  } catch (const std::exception &thrown) {
    return Failure{std::string("tokenizer: cannot build the tries: ") +
                   thrown.what()};
  }
}

}  // namespace gemmac::importer
