// SPDX-License-Identifier: Apache-2.0
// Container: the model's data behind the code in one file, mapped read-only.
// Input: a file's path. Output: the bytes of each section, which live as long
// as the container. open() checks the trailer, all sizes, the code and the
// metadata; verifyAll() reads every byte. It knows nothing of what the sections
// mean. Source: ModelAbi.h, "The container".
#ifndef GEMMA_RUNTIME_MODEL_CONTAINER_H
#define GEMMA_RUNTIME_MODEL_CONTAINER_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/include/gemma/ModelAbi.h"
#include "runtime/model/Status.h"

namespace gemma {

class Container {
 public:
  Container() = default;
  ~Container() { close(); }
  Container(const Container &) = delete;
  Container &operator=(const Container &) = delete;

  // Replaces whatever was open. On an error nothing is open. The error names
  // `path`, or the program's own file for /proc/self/exe.
  Status open(const char *path = "/proc/self/exe");
  void close();
  bool isOpen() const { return mapping != nullptr; }

  // Hashes every section, the code and the trailer, and checks that padding is
  // zero. Reads the whole file.
  Status verifyAll() const;

  // Makes the weights' pages present (about 50 ms for 250 MB on a cold file),
  // so that the first token does not pay for it. Advice only: cannot fail.
  void prefaultWeights() const;

  // `section` is a GEMMA_SECTION_ value. 4096-byte aligned.
  std::span<const uint8_t> section(int section) const;

  const std::string &fileName() const { return name; }
  uint64_t fileSize() const { return size; }
  const gemma_trailer &trailer() const { return end; }

 private:
  Status readTrailer();
  Status checkSections() const;
  Status checkHashes() const;
  Status damaged(const char *what) const;

  std::string name;
  int file = -1;
  uint64_t size = 0;
  gemma_trailer end{};
  // From the container's offset to the end of the file.
  uint8_t *mapping = nullptr;
  size_t mappedBytes = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_CONTAINER_H
