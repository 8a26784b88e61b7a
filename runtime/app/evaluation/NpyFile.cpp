// SPDX-License-Identifier: Apache-2.0
// Writing of NumPy files: a 64-byte aligned header, then the rows as they are.
#include "runtime/app/evaluation/NpyFile.h"

#include <errno.h>
#include <string.h>

namespace gemma {

NpyFile::~NpyFile() {
  if (file != nullptr) fclose(file);
}

Status NpyFile::create(const std::string &path, int64_t rows, int64_t columns) {
  name = path;
  file = fopen(path.c_str(), "wbe");
  if (file == nullptr)
    return Status(Code::Io, path + ": cannot be created: " + strerror(errno));
  std::string shape =
      rows > 0 ? std::to_string(rows) + ", " + std::to_string(columns)
               : std::to_string(columns) + ",";
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  // Magic, version and length take 10 bytes; a line feed ends the header.
  while ((header.size() + 11) % 64 != 0) header += ' ';
  header += '\n';
  char start[10] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  start[8] = static_cast<char>(header.size() & 0xFF);
  start[9] = static_cast<char>(header.size() >> 8);
  good = fwrite(start, 1, sizeof(start), file) == sizeof(start) &&
         fwrite(header.data(), 1, header.size(), file) == header.size();
  return {};
}

void NpyFile::write(std::span<const float> row) {
  good =
      good && fwrite(row.data(), sizeof(float), row.size(), file) == row.size();
}

Status NpyFile::close() {
  if (file == nullptr) return {};
  good = fclose(file) == 0 && good;
  file = nullptr;
  if (good) return {};
  return Status(Code::Io, name + ": cannot be written: " + strerror(errno));
}

Result<NpyShape> readNpyHeader(FILE *file) {
  unsigned char start[10];
  bool good = fread(start, 1, sizeof(start), file) == sizeof(start) &&
              memcmp(start, "\x93NUMPY\x01", 7) == 0;
  std::string header(good ? start[8] + 256 * start[9] : 0, ' ');
  good = good && fread(header.data(), 1, header.size(), file) == header.size();
  if (!good)
    return Status(Code::InvalidInput,
                  "expected a .npy file of version 1, found another");
  long long found[2] = {};
  size_t at = header.find("'shape':");
  bool shaped = at != std::string::npos &&
                sscanf(header.c_str() + at, "'shape': (%18lld, %18lld)",
                       &found[0], &found[1]) == 2;
  if (!shaped || header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos)
    return Status(Code::InvalidInput,
                  "expected rows of '<f4' in C order, found the header " +
                      header.substr(0, header.find_last_not_of(" \n") + 1));
  return NpyShape{found[0], found[1]};
}

}  // namespace gemma
