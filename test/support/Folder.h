// SPDX-License-Identifier: Apache-2.0
// A scratch folder of one test, removed with all that is in it.
#ifndef GEMMAC_TEST_SUPPORT_FOLDER_H
#define GEMMAC_TEST_SUPPORT_FOLDER_H

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <stdlib.h>

namespace gemmac::test {

class Folder {
 public:
  Folder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "gemmac-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }

  std::string file(const std::string &name) const {
    return (path / name).string();
  }
  // Names of all that is in it.
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (auto &entry : std::filesystem::directory_iterator(path))
      found.insert(entry.path().filename().string());
    return found;
  }

  std::filesystem::path path;
};

inline void writeBytes(const std::string &path,
                       const std::vector<uint8_t> &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()),
             std::streamsize(bytes.size()));
}

inline std::vector<uint8_t> readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

}  // namespace gemmac::test

#endif
