// SPDX-License-Identifier: Apache-2.0
// pad 0, eos 1, bos 2, unk 3, <start_of_turn> 4, <end_of_turn> 5, bytes 6-261,
// then letters and merges.
#include "test/runtime/TinyTokenizer.h"

#include <string.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "compiler/importer/tokenizer/TokenizerBlob.h"

namespace gemma::test {
namespace {

std::vector<uint64_t> makeSection() {
  using namespace gemmac::importer;
  TokenizerModel model;
  auto add = [&](std::string text, PieceType type, float score = 0) {
    model.pieces.push_back({std::move(text), score, type});
  };
  add("<pad>", PieceType::Control);
  add("<eos>", PieceType::Control);
  add("<bos>", PieceType::Control);
  add("<unk>", PieceType::Unknown);
  add("<start_of_turn>", PieceType::Control);
  add("<end_of_turn>", PieceType::Control);
  for (int i = 0; i < 256; ++i) {
    char name[8];
    snprintf(name, sizeof(name), "<0x%02X>", i);
    add(name, PieceType::Byte);
  }
  // A merge's score is minus its rank; single letters rank below all.
  add("\n\n", PieceType::UserDefined);
  add("us", PieceType::Normal, -1);
  add("er", PieceType::Normal, -2);
  add("user", PieceType::Normal, -3);
  for (char letter = 'a'; letter <= 'z'; ++letter)
    add(std::string(1, letter), PieceType::Normal, -100);
  for (const char *text :
       {"\xE2\x96\x81", "<", ">", "_", "\n", "H", "\xC3\xA9", "."})
    add(text, PieceType::Normal, -100);
  model.padId = 0;
  model.eosId = 1;
  model.bosId = 2;
  model.unkId = 3;
  auto blob = writeTokenizerBlob(model);
  if (!blob || model.pieces.size() != kTinyVocabulary) {
    fprintf(stderr, "tiny tokenizer: %zu pieces, %s\n", model.pieces.size(),
            blob ? "" : blob.message().c_str());
    abort();
  }
  std::vector<uint64_t> section((blob->size() + 7) / 8);
  memcpy(section.data(), blob->data(), blob->size());
  return section;
}

}  // namespace

std::span<const uint8_t> tinyTokenizer() {
  static const std::vector<uint64_t> section = makeSection();
  return {reinterpret_cast<const uint8_t *>(section.data()),
          section.size() * 8};
}

}  // namespace gemma::test
