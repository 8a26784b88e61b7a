// SPDX-License-Identifier: Apache-2.0
// Tokenizer and StreamDecoder over SentencePiece's LITE runtime: status values
// instead of exceptions, outputs that are appended to, control pieces in
// trusted text, and decoding that never cuts a character. No locale, no
// streams. Source: SentencePiece 0.2.3, lite/sentencepiece_lite.h.
#include "runtime/tokenizer/Tokenizer.h"

#include <algorithm>
#include <cassert>
#include <exception>

#include "sentencepiece_lite.h"

namespace gemma {
namespace {

namespace lite = sentencepiece::lite;

static_assert(sizeof(int) == sizeof(int32_t), "ids are passed on as int");

// Types as the section stores them.
constexpr int kControlType = 3;
constexpr int kByteType = 6;

// Memory may run out on a huge input, and that must not pass through a C
// interface as an exception.
template <typename Work>
bool guarded(Work work) {
  try {
    return work();
  } catch (const std::exception &) {
    return false;
  }
}

// How many bytes a character with this lead byte has; 0: it leads none.
size_t leadBytes(int byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return 2;
  if (byte >= 0xE0 && byte <= 0xEF) return 3;
  if (byte >= 0xF0 && byte <= 0xF4) return 4;
  return 0;
}

bool isContinuation(int byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

Tokenizer::Tokenizer() = default;
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;

bool Tokenizer::load(const void *section, size_t size) {
  processor.reset();
  firstByteId = -1;
  controlSizes.clear();
  controlStarts.reset();
  // The format's vectors are aligned within the section only.
  bool aligned = reinterpret_cast<uintptr_t>(section) % 8 == 0;
  if (section == nullptr || size == 0 || !aligned) return false;
  bool good = guarded([&] {
    std::string_view bytes(static_cast<const char *>(section), size);
    processor = std::make_unique<lite::SentencePieceLiteProcessor>(bytes);
    if (processor->status() != lite::StatusCode::kOk) return false;
    firstByteId = pieceId("<0x00>");
    indexControls();
    return true;
  });
  if (!good) processor.reset();
  return good;
}

void Tokenizer::indexControls() {
  auto count = static_cast<int32_t>(pieceCount());
  for (int32_t id = 0; id < count; ++id) {
    if (!isControl(id)) continue;
    std::string_view text = pieceText(id);
    controlStarts.set(static_cast<unsigned char>(text.front()));
    controlSizes.push_back(text.size());
  }
  std::sort(controlSizes.rbegin(), controlSizes.rend());
  controlSizes.erase(std::unique(controlSizes.begin(), controlSizes.end()),
                     controlSizes.end());
}

bool Tokenizer::encode(std::string_view text, std::vector<int32_t> &ids) const {
  if (!processor) return false;
  return guarded([&] {
    std::vector<int> encoded;
    if (processor->Encode(text, &encoded) != lite::StatusCode::kOk)
      return false;
    ids.insert(ids.end(), encoded.begin(), encoded.end());
    return true;
  });
}

bool Tokenizer::encodeTrusted(std::string_view text,
                              std::vector<int32_t> &ids) const {
  if (!processor) return false;
  size_t before = ids.size();
  auto controlAt = [&](size_t at) -> int32_t {
    if (!controlStarts[static_cast<unsigned char>(text[at])]) return -1;
    for (size_t size : controlSizes) {
      if (size > text.size() - at) continue;
      int32_t id = pieceId(text.substr(at, size));
      if (id >= 0 && isControl(id)) return id;
    }
    return -1;
  };
  bool good = guarded([&] {
    size_t from = 0, at = 0;
    while (at < text.size()) {
      int32_t id = controlAt(at);
      if (id < 0) {
        ++at;
        continue;
      }
      if (!encode(text.substr(from, at - from), ids)) return false;
      ids.push_back(id);
      from = at += pieceText(id).size();
    }
    return encode(text.substr(from), ids);
  });
  if (!good) ids.resize(before);
  return good;
}

bool Tokenizer::decode(std::span<const int32_t> ids, std::string &text) const {
  if (!processor) return false;
  return guarded([&] {
    std::string decoded;
    lite::Span<const int> span(ids.data(), ids.size());
    if (processor->Decode(span, &decoded) != lite::StatusCode::kOk)
      return false;
    text += decoded;
    return true;
  });
}

int32_t Tokenizer::pieceId(std::string_view text) const {
  if (!processor) return -1;
  int id = processor->PieceToId(text);
  // For an unknown text that is the unknown piece's id.
  return id >= 0 && processor->IdToPiece(id) == text ? id : -1;
}

std::string_view Tokenizer::pieceText(int32_t id) const {
  if (!processor || id < 0 || static_cast<size_t>(id) >= pieceCount())
    return {};
  return processor->IdToPiece(id);
}

size_t Tokenizer::pieceCount() const {
  return processor ? processor->vocab_size() : 0;
}

bool Tokenizer::isControl(int32_t id) const {
  return processor && processor->piece_type(id) == kControlType;
}

int Tokenizer::byteValue(int32_t id) const {
  if (!processor || processor->piece_type(id) != kByteType) return -1;
  int byte = id - firstByteId;
  return firstByteId >= 0 && byte >= 0 && byte < 256 ? byte : -1;
}

int32_t Tokenizer::bosId() const {
  return processor ? processor->bos_id() : -1;
}

int32_t Tokenizer::eosId() const {
  return processor ? processor->eos_id() : -1;
}

int32_t Tokenizer::padId() const {
  return processor ? processor->pad_id() : -1;
}

int32_t Tokenizer::unkId() const {
  return processor ? processor->unk_id() : -1;
}

bool StreamDecoder::append(int32_t id, std::string &text) {
  if (id < 0 || static_cast<size_t>(id) >= tokenizer->pieceCount())
    return false;
  if (tokenizer->byteValue(id) < 0) {
    // Whatever was begun cannot be completed any more - except across a control
    // piece, which decoding, too, takes as the end of a run of bytes.
    return flush(heldCount, text) && tokenizer->decode({&id, 1}, text);
  }
  // Three that may yet become a character, at most, and this one.
  assert(heldCount < held.size());
  held[heldCount++] = id;
  // All is certain but a lead byte at the end with too few continuations.
  size_t tail = 0;
  while (tail < heldCount &&
         isContinuation(tokenizer->byteValue(held[heldCount - 1 - tail])))
    ++tail;
  size_t keep = 0;
  if (tail < heldCount) {
    int lead = tokenizer->byteValue(held[heldCount - 1 - tail]);
    if (tail + 1 < leadBytes(lead)) keep = tail + 1;
  }
  return flush(heldCount - keep, text);
}

bool StreamDecoder::finish(std::string &text) { return flush(heldCount, text); }

bool StreamDecoder::flush(size_t count, std::string &text) {
  assert(count <= heldCount);
  bool good = count == 0 || tokenizer->decode({held.data(), count}, text);
  std::copy(held.begin() + count, held.begin() + heldCount, held.begin());
  heldCount -= count;
  return good;
}

}  // namespace gemma
