// SPDX-License-Identifier: Apache-2.0
// Tokenizer files, and the section that the runtime reads. Input: one byte for
// the kind (0 tokenizer.model, 1 tokenizer.json, 2 a section), then the file.
// A tokenizer that a reader takes must make a section that the runtime takes,
// and text must come back from its ids.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/importer/tokenizer/SentencePieceModel.h"
#include "compiler/importer/tokenizer/TokenizerBlob.h"
#include "compiler/importer/tokenizer/TokenizerJson.h"
#include "runtime/tokenizer/Tokenizer.h"

using namespace gemmac::importer;

namespace {

void check(bool good, const char *what, const std::string &detail = "") {
  if (good) return;
  std::fprintf(stderr, "finding: %s %s\n", what, detail.c_str());
  std::abort();
}

Result<TokenizerModel> read(int kind, std::string_view bytes) {
  if (kind == 0) return readSentencePieceModel(bytes);
  auto root = nlohmann::json::parse(bytes, nullptr, false);
  if (!root.is_object()) return Failure{"no object"};
  return readTokenizerJson(root, {});
}

// Every id is asked for everything; the sections come from anywhere.
void useSection(std::string_view bytes, bool isOurs) {
  // 8-byte aligned, and its end is where the sanitizer watches.
  std::vector<uint64_t> words((bytes.size() + 7) / 8);
  char *start = reinterpret_cast<char *>(words.data());
  start += isOurs ? 0 : words.size() * 8 - (bytes.size() & ~size_t(7));
  size_t size = isOurs ? bytes.size() : bytes.size() & ~size_t(7);
  if (size > 0) std::memcpy(start, bytes.data(), size);
  gemma::Tokenizer tokenizer;
  bool loaded = tokenizer.load(start, size);
  check(loaded || !isOurs, "our own section is not taken");
  if (!loaded) return;
  gemma::StreamDecoder stream(tokenizer);
  std::string streamed, text;
  std::vector<int32_t> all;
  for (int32_t id = -1; id <= int32_t(tokenizer.pieceCount()); ++id) {
    tokenizer.pieceText(id);
    tokenizer.isControl(id);
    tokenizer.byteValue(id);
    stream.append(id, streamed);
    if (id >= 0 && id < int32_t(tokenizer.pieceCount())) all.push_back(id);
  }
  stream.finish(streamed);
  check(tokenizer.decode(all, text) || !isOurs, "ids that do not decode");
  check(streamed == text || !isOurs, "streaming decodes otherwise", streamed);
  const std::string sample = "a user's \xC3\xA9t\xC3\xA9 <bos>\n\n\xFF 42";
  std::vector<int32_t> ids;
  bool encoded = tokenizer.encode(sample, ids);
  tokenizer.encodeTrusted(sample, ids);
  for (int32_t id : ids)
    check(!encoded || !isOurs || (id >= 0 && id < int32_t(all.size())),
          "an id beyond the vocabulary");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
  int kind = data[0] % 3;
  if (kind == 2) {
    useSection(bytes, false);
    return 0;
  }
  auto model = read(kind, bytes);
  check(model || !model.message().empty(), "a refusal without words");
  if (!model) return 0;
  for (bool demoted : {false, true}) {
    if (demoted) demoteStructuralPieces(*model);
    auto section = writeTokenizerBlob(*model);
    check(bool(section),
          "what was read cannot be written:", section ? "" : section.message());
    useSection(*section, true);
  }
  return 0;
}
