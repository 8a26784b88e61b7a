// SPDX-License-Identifier: Apache-2.0
// The main of a fuzzer outside of libFuzzer: runs it once on every file of the
// folders that are named. Input: folders. Output: how many files it ran; a
// finding ends the process, as it does in the fuzzer.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  int ran = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto &entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(bytes.data()),
                             bytes.size());
      ++ran;
    }
  std::printf("%d files\n", ran);
  return ran == 0;
}
