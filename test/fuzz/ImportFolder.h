// SPDX-License-Identifier: Apache-2.0
// A folder in memory for the fuzzers of the importer: the files of one input,
// imported as gemmac would. Input: names and bytes. Output: none; a finding is
// a crash, a sanitizer's report, or an error that is no single line.
#ifndef GEMMAC_TEST_FUZZ_IMPORT_FOLDER_H
#define GEMMAC_TEST_FUZZ_IMPORT_FOLDER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gemmac::fuzz {

class ImportFolder {
 public:
  ImportFolder();
  ~ImportFolder();
  ImportFolder(const ImportFolder &) = delete;

  // Replaces the file; `size` bytes long, zeros behind `bytes`.
  void write(const std::string &name, std::string_view bytes, uint64_t size);
  void remove(const std::string &name);
  // "" for the folder itself. Reads the checkpoint, builds its graph.
  void import(const std::string &name);

 private:
  std::string path;
};

}  // namespace gemmac::fuzz

#endif  // GEMMAC_TEST_FUZZ_IMPORT_FOLDER_H
