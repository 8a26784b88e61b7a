// SPDX-License-Identifier: Apache-2.0
// Reference: the logits that `eval` compares with, row by row, from a .npy file
// that --logits wrote or from another compiled model, which runs beside this
// one and writes them through a pipe: nothing is stored. It compares nothing.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_REFERENCE_H
#define GEMMA_RUNTIME_APP_EVALUATION_REFERENCE_H

#include <stdio.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "runtime/model/Status.h"

namespace gemma {

class Reference {
 public:
  Reference() = default;
  ~Reference();
  Reference(const Reference &) = delete;
  Reference &operator=(const Reference &) = delete;

  // Looks at what `path` is.
  Status open(const std::string &path);
  bool isOpen() const { return !name.empty(); }
  // A file holds the rows of one window only.
  bool isFile() const { return file; }

  // Begins the rows of `ids`, of `columns` logits each.
  Status begin(std::span<const int32_t> ids, int64_t columns, int threads);
  // The next row.
  Status read(std::span<float> row);
  // After the last row; the program must have ended well.
  Status end();

 private:
  Status start(std::span<const int32_t> ids, int threads);
  Status ended();
  void close();

  std::string name;
  bool file = false;
  FILE *rows = nullptr;
  pid_t child = -1;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_REFERENCE_H
