// SPDX-License-Identifier: Apache-2.0
// Text <-> token ids for a compiled model, in place over the tokenizer section
// that gemmac wrote. Input: the section's bytes, UTF-8 text (invalid bytes
// become U+FFFD), ids. It adds no bos or eos and knows no chat template.
//
//   gemma::Tokenizer tokenizer;
//   std::vector<int32_t> ids;
//   if (!tokenizer.load(section, bytes)) ...            // not a tokenizer
//   ids.push_back(tokenizer.pieceId("<start_of_turn>"));  // the template's
//   tokenizer.encode("user\n" + text, ids);               // text, forgery-safe
//
// Nothing throws: false means failure, and outputs keep what they held. Every
// const member may be called by any number of threads at once.
// Source: SentencePiece 0.2.3, LITE runtime.
#ifndef GEMMA_RUNTIME_TOKENIZER_TOKENIZER_H
#define GEMMA_RUNTIME_TOKENIZER_TOKENIZER_H

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece::lite {
class SentencePieceLiteProcessor;
}

namespace gemma {

class Tokenizer {
 public:
  Tokenizer();
  ~Tokenizer();
  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;

  // Borrows `size` bytes at `section`, which must be 8-byte aligned and outlive
  // this object. About 15 ms and no copy. False: misaligned, or the bytes are
  // not a well-formed tokenizer; the object then holds none.
  bool load(const void *section, size_t size);
  bool isLoaded() const { return processor != nullptr; }

  // Appends the ids of `text`. No text gives the id of a control piece (turns,
  // images, tools, bos), whatever it spells.
  bool encode(std::string_view text, std::vector<int32_t> &ids) const;

  // The same for text that the caller vouches for: a control piece spelled in
  // it, longest first, becomes its id. Never for what a user typed.
  bool encodeTrusted(std::string_view text, std::vector<int32_t> &ids) const;

  // Appends the text of `ids`; control pieces have none. False if an id is not
  // below pieceCount(). The whole text is valid UTF-8.
  bool decode(std::span<const int32_t> ids, std::string &text) const;

  // The id of the piece spelled `text` (U+2581 for a space); -1 if there is
  // none.
  int32_t pieceId(std::string_view text) const;

  // A piece's spelling, control pieces included; empty if there is no such id.
  // Lives as long as the section.
  std::string_view pieceText(int32_t id) const;

  size_t pieceCount() const;
  bool isControl(int32_t id) const;

  // The byte that the piece stands for, 0 to 255; -1 for other pieces.
  int byteValue(int32_t id) const;

  // -1 if the checkpoint has none.
  int32_t bosId() const;
  int32_t eosId() const;
  int32_t padId() const;
  int32_t unkId() const;

 private:
  void indexControls();

  std::unique_ptr<sentencepiece::lite::SentencePieceLiteProcessor> processor;
  int32_t firstByteId = -1;
  // How control pieces can be found in trusted text: their lengths, longest
  // first, and their first bytes.
  std::vector<size_t> controlSizes;
  std::bitset<256> controlStarts;
};

// Decodes one sequence id by id, for streaming: the pieces of text, put
// together, equal decode() of all ids, and each is valid UTF-8 by itself.
// A character whose bytes come one token at a time is held back until it is
// whole. One thread at a time; the tokenizer must outlive it.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer &tokenizer) : tokenizer(&tokenizer) {}

  // Appends to `text` what `id` made certain; often nothing, for bytes. False
  // if `id` is not below pieceCount(): it is then ignored.
  bool append(int32_t id, std::string &text);

  // Appends what was held back, U+FFFD for each byte of a broken character,
  // and starts anew.
  bool finish(std::string &text);

  // Forgets what was held back.
  void reset() { heldCount = 0; }

 private:
  bool flush(size_t count, std::string &text);

  const Tokenizer *tokenizer;
  // A lead byte and up to two more, plus the one just come.
  std::array<int32_t, 4> held{};
  size_t heldCount = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_TOKENIZER_TOKENIZER_H
