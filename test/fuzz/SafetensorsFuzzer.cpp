// SPDX-License-Identifier: Apache-2.0
// A Hugging Face folder: safetensors' headers, the index and the JSON files.
// Input: one byte of flags, then files with a byte 0xFF between them (no valid
// file here has one): the header, config.json, generation_config.json, the
// index, tokenizer_config.json. An empty file is left out. Flags: 1 the header
// is the whole file, its length included; 2 the file is a shard of the index.
#include <algorithm>
#include <cctype>

#include "test/fuzz/ImportFolder.h"

namespace {

// The end of the data that a header most likely speaks of: its largest number.
uint64_t largestNumber(std::string_view text) {
  constexpr uint64_t kMost = 1 << 22;
  uint64_t largest = 0, current = 0;
  for (unsigned char c : text) {
    current = std::isdigit(c) ? current * 10 + (c - '0') : 0;
    current = std::min<uint64_t>(current, kMost + 1);
    if (current <= kMost) largest = std::max(largest, current);
  }
  return largest;
}

std::string_view takePart(std::string_view &rest) {
  size_t end = rest.find('\xFF');
  std::string_view part = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

void writeWeights(gemmac::fuzz::ImportFolder &folder, const char *name,
                  std::string_view header, bool whole) {
  if (whole) return folder.write(name, header, header.size());
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += char(header.size() >> (8 * i));
  bytes += header;
  folder.write(name, bytes, bytes.size() + largestNumber(header));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static gemmac::fuzz::ImportFolder folder;
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char *>(data) + 1, size - 1);
  std::string_view header = takePart(rest);
  bool whole = data[0] & 1, sharded = data[0] & 2;
  const char *single = "model.safetensors";
  const char *shard = "model-00001-of-00001.safetensors";
  writeWeights(folder, sharded ? shard : single, header, whole);
  folder.remove(sharded ? single : shard);
  for (const char *name :
       {"config.json", "generation_config.json", "model.safetensors.index.json",
        "tokenizer_config.json"}) {
    std::string_view part = takePart(rest);
    if (part.empty())
      folder.remove(name);
    else
      folder.write(name, part, part.size());
  }
  folder.import("");
  return 0;
}
