// SPDX-License-Identifier: Apache-2.0
// Writes small checkpoint files, right or wrong in one place, into a folder
// that goes with the writer. For tests of the importer only.
#ifndef GEMMAC_TEST_IMPORTER_CHECKPOINTWRITER_H
#define GEMMAC_TEST_IMPORTER_CHECKPOINTWRITER_H

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "llvm/Support/Error.h"

namespace gemmac::importer::test {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  std::string write(const std::string &name, const std::string &bytes) const;
  std::string path;
};

// Little-endian bytes.
template <typename T>
std::string bytesOf(T value) {
  return std::string(reinterpret_cast<const char *>(&value), sizeof(T));
}
std::string ggufString(const std::string &text);

struct GgufTensorEntry {
  std::string name;
  std::vector<uint64_t> dimensions;  // innermost first
  uint32_t type = 0;                 // f32
  uint64_t offset = 0;
};

// Key-value pairs as the file has them; every field can be set wrong.
struct GgufWriter {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::vector<std::string> values;
  std::vector<GgufTensorEntry> tensors;
  uint64_t dataBytes = 0;
  int64_t extraValues = 0, extraTensors = 0;  // added to the counts

  void u32(const std::string &key, uint32_t value);
  void u16(const std::string &key, uint16_t value);
  void f32(const std::string &key, float value);
  void string(const std::string &key, const std::string &value);
  // Places the tensor behind the last one; f32, shape outermost first.
  void tensor(const std::string &name, std::vector<uint64_t> shape);
  std::string bytes() const;
};

// A model of 2 layers, D 32, H 2, K 1, E 16, F 64, V 48; window 4, period 2.
GgufWriter tinyGguf();
nlohmann::json tinyConfig();
// Name -> shape of the tensors of tinyConfig(), tied.
nlohmann::json tinyShapes();

// A safetensors file: header (its own length) and data.
std::string safetensorsBytes(const std::string &header, uint64_t dataBytes);
// f32 tensors of these shapes one behind the other.
std::string safetensorsOf(const nlohmann::json &shapes);

// The message, "" on success.
template <typename T>
std::string messageOf(llvm::Expected<T> result) {
  return result ? "" : llvm::toString(result.takeError());
}

}  // namespace gemmac::importer::test

#endif  // GEMMAC_TEST_IMPORTER_CHECKPOINTWRITER_H
