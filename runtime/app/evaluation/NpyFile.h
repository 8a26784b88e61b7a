// SPDX-License-Identifier: Apache-2.0
// NpyFile: writes float32 rows to a NumPy file, [rows, columns] or [columns],
// row by row, so that 512 MiB of logits need no memory; and reads such a
// header. Little-endian, C order. Source: NumPy, numpy/lib/format.py, version
// 1.0.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_NPYFILE_H
#define GEMMA_RUNTIME_APP_EVALUATION_NPYFILE_H

#include <stdio.h>

#include <cstdint>
#include <span>
#include <string>

#include "runtime/model/Status.h"

namespace gemma {

class NpyFile {
 public:
  NpyFile() = default;
  ~NpyFile();
  NpyFile(const NpyFile &) = delete;
  NpyFile &operator=(const NpyFile &) = delete;

  // `rows` 0: one row, as a vector.
  Status create(const std::string &path, int64_t rows, int64_t columns);
  bool isOpen() const { return file != nullptr; }
  // Errors are reported by close().
  void write(std::span<const float> row);
  Status close();

 private:
  std::string name;
  FILE *file = nullptr;
  bool good = true;
};

struct NpyShape {
  int64_t rows = 0, columns = 0;
};

// Reads the header of a [rows, columns] file of this kind, up to its first row.
Result<NpyShape> readNpyHeader(FILE *file);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_NPYFILE_H
