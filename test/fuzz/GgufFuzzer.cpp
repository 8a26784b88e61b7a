// SPDX-License-Identifier: Apache-2.0
// A GGUF file: its table, its settings, its vocabulary, its graph. Input: one
// byte, how many KiB of zeros stand behind (so that a corpus needs no weights),
// then the file's start.
#include "test/fuzz/ImportFolder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static gemmac::fuzz::ImportFolder folder;
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
  folder.write("model.gguf", bytes, bytes.size() + data[0] * uint64_t(1024));
  folder.import("model.gguf");
  return 0;
}
