// SPDX-License-Identifier: Apache-2.0
// A bridge for compare_tokenizer.py: writes tokenizer sections with the
// compiler's code, then encodes and decodes with the run-time's, on many
// strings at once. Input and output are length-prefixed binary (little-endian
// u32 counts), since the strings hold anything. It judges nothing but that
// streamed and whole decoding agree.
//
//   tokenizer-probe section FILE.model OUT [--keep-types]
//   tokenizer-probe section-gguf DUMP OUT [--keep-types]
//   tokenizer-probe section-json FILE.json OUT [--keep-types]
//   tokenizer-probe encode SECTION   strings -> ids, then the ids decoded
//   tokenizer-probe decode SECTION   ids -> text
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/importer/tokenizer/GgufVocabulary.h"
#include "compiler/importer/tokenizer/SentencePieceModel.h"
#include "compiler/importer/tokenizer/TokenizerBlob.h"
#include "compiler/importer/tokenizer/TokenizerJson.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace {

using gemmac::importer::Result;
using gemmac::importer::TokenizerModel;

[[noreturn]] void stop(const std::string &problem) {
  std::fprintf(stderr, "error: %s\n", problem.c_str());
  std::exit(1);
}

std::string readAll(std::FILE *file) {
  std::string bytes;
  char buffer[1 << 16];
  while (size_t size = std::fread(buffer, 1, sizeof(buffer), file))
    bytes.append(buffer, size);
  return bytes;
}

std::string readFile(const char *path) {
  std::FILE *file = std::fopen(path, "rb");
  if (!file) stop(std::string("cannot open ") + path);
  std::string bytes = readAll(file);
  std::fclose(file);
  return bytes;
}

// Takes values off the front of a byte string.
struct Cursor {
  std::string_view rest;

  std::string_view bytes(size_t size) {
    if (size > rest.size()) stop("input ends early");
    std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }

  template <typename T>
  T value() {
    T result;
    std::memcpy(&result, bytes(sizeof(T)).data(), sizeof(T));
    return result;
  }

  std::string_view string() { return bytes(value<uint32_t>()); }
};

void writeCounted(const void *data, size_t count, size_t size) {
  auto number = static_cast<uint32_t>(count);
  std::fwrite(&number, 4, 1, stdout);
  std::fwrite(data, size, count, stdout);
}

// DUMP: u32 count, then per token its text, f32 score, i32 type.
Result<TokenizerModel> readDump(const char *path) {
  std::string bytes = readFile(path);
  Cursor cursor{bytes};
  gemmac::importer::GgufVocabulary vocabulary;
  auto count = cursor.value<uint32_t>();
  for (uint32_t i = 0; i < count; ++i) {
    vocabulary.tokens.emplace_back(cursor.string());
    vocabulary.scores.push_back(cursor.value<float>());
    vocabulary.types.push_back(cursor.value<int32_t>());
  }
  return gemmac::importer::readGgufVocabulary(std::move(vocabulary));
}

void writeSection(Result<TokenizerModel> model, const char *path,
                  bool keepTypes) {
  if (!model) stop(model.message());
  if (!keepTypes) {
    size_t changed = gemmac::importer::demoteStructuralPieces(*model);
    std::fprintf(stderr, "%zu pieces demoted\n", changed);
  }
  auto blob = gemmac::importer::writeTokenizerBlob(*model);
  if (!blob) stop(blob.message());
  std::FILE *file = std::fopen(path, "wb");
  if (!file ||
      std::fwrite(blob->data(), 1, blob->size(), file) != blob->size() ||
      std::fclose(file) != 0)
    stop(std::string("cannot write ") + path);
}

std::string decodeBothWays(const gemma::Tokenizer &tokenizer,
                           const std::vector<int32_t> &ids) {
  std::string whole, streamed;
  if (!tokenizer.decode(ids, whole)) stop("decode failed");
  gemma::StreamDecoder decoder(tokenizer);
  for (int32_t id : ids)
    if (!decoder.append(id, streamed)) stop("streamed decode failed");
  if (!decoder.finish(streamed)) stop("streamed decode failed at the end");
  if (whole != streamed) stop("streamed and whole decoding differ");
  return whole;
}

void encodeAll(const gemma::Tokenizer &tokenizer, Cursor cursor) {
  while (!cursor.rest.empty()) {
    std::vector<int32_t> ids;
    if (!tokenizer.encode(cursor.string(), ids)) stop("encode failed");
    writeCounted(ids.data(), ids.size(), 4);
    std::string text = decodeBothWays(tokenizer, ids);
    writeCounted(text.data(), text.size(), 1);
  }
}

void decodeAll(const gemma::Tokenizer &tokenizer, Cursor cursor) {
  while (!cursor.rest.empty()) {
    std::vector<int32_t> ids(cursor.value<uint32_t>());
    for (int32_t &id : ids) id = cursor.value<int32_t>();
    std::string text = decodeBothWays(tokenizer, ids);
    writeCounted(text.data(), text.size(), 1);
  }
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) stop("expected a command and its file");
  std::string_view command = argv[1];
  bool keepTypes = argc > 4 && std::string_view(argv[4]) == "--keep-types";
  if (command == "section" && argc > 3) {
    writeSection(gemmac::importer::readSentencePieceModel(readFile(argv[2])),
                 argv[3], keepTypes);
    return 0;
  }
  if (command == "section-gguf" && argc > 3) {
    writeSection(readDump(argv[2]), argv[3], keepTypes);
    return 0;
  }
  if (command == "section-json" && argc > 3) {
    auto root = nlohmann::json::parse(readFile(argv[2]), nullptr,
                                      /*allow_exceptions=*/false);
    writeSection(gemmac::importer::readTokenizerJson(root, {}), argv[3],
                 keepTypes);
    return 0;
  }
  std::string section = readFile(argv[2]);
  gemma::Tokenizer tokenizer;
  if (!tokenizer.load(section.data(), section.size()))
    stop("the run-time refuses the section");
  std::string input = readAll(stdin);
  if (command == "encode")
    encodeAll(tokenizer, Cursor{input});
  else if (command == "decode")
    decodeAll(tokenizer, Cursor{input});
  else
    stop("unknown command");
  return 0;
}
