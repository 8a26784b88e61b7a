// SPDX-License-Identifier: Apache-2.0
// Writes a container as packaging does, for tests: some code bytes, the
// sections and a right trailer. Not shared with packaging on purpose: two
// writers of one format that agree are a check.
#ifndef GEMMA_TEST_RUNTIME_CONTAINER_WRITER_H
#define GEMMA_TEST_RUNTIME_CONTAINER_WRITER_H

#include <stddef.h>
#include <string.h>

#include <fstream>
#include <span>
#include <string>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/include/gemma/ModelAbi.h"

namespace gemma::test {

inline std::string makeContainer(std::string code, std::string_view metadata,
                                 std::string_view tokenizer,
                                 std::string_view weights) {
  auto pad = [](std::string &bytes, size_t alignment) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  };
  pad(code, GEMMA_CONTAINER_ALIGN);
  gemma_trailer trailer = {};
  trailer.container_offset = code.size();
  trailer.code_hash = XXH3_64bits(code.data(), code.size());
  std::string body;
  std::string_view sections[] = {metadata, tokenizer, weights};
  for (int i = 0; i < GEMMA_SECTION_COUNT; ++i) {
    pad(body, GEMMA_SECTION_ALIGN);
    trailer.sections[i] = {body.size(), sections[i].size(),
                           XXH3_64bits(sections[i].data(), sections[i].size())};
    body += sections[i];
  }
  trailer.version = 1;
  trailer.trailer_bytes = sizeof(trailer);
  memcpy(trailer.magic, GEMMA_CONTAINER_MAGIC, 8);
  trailer.trailer_hash =
      XXH3_64bits(&trailer, offsetof(gemma_trailer, trailer_hash));
  pad(body, 8);
  return code + body +
         std::string(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
}

inline std::string_view asText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

inline void writeFile(const std::string &path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace gemma::test

#endif  // GEMMA_TEST_RUNTIME_CONTAINER_WRITER_H
