// SPDX-License-Identifier: Apache-2.0
// Reads a GGUF file, versions 2 and 3, little-endian. Input: a path, the file
// not trusted. Output: its key-value pairs and tensor table (GgufFile), or the
// Checkpoint that they describe. Reads no tensor data. Refused by name: other
// architectures. Source: ggml's docs/gguf.md.
#ifndef GEMMAC_COMPILER_IMPORTER_GGUF_GGUF_H
#define GEMMAC_COMPILER_IMPORTER_GGUF_GGUF_H

#include <map>
#include <memory>

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace gemmac::importer {

// The numbers are the file's.
enum class GgufType : uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64
};

struct GgufValue {
  GgufType type = GgufType::U8;
  llvm::StringRef bytes;  // a number's bytes, a string, an array's elements
  GgufType element = GgufType::U8;  // arrays
  uint64_t count = 0;               // arrays

  bool isString() const { return type == GgufType::String; }
  // Nothing where the value is of another kind or out of int64's range.
  std::optional<int64_t> integer() const;
  std::optional<double> number() const;  // finite, of any number type
  std::optional<bool> boolean() const;
  // Arrays, all elements at once.
  std::optional<std::vector<std::string>> strings() const;
  std::optional<std::vector<double>> numbers() const;
};

struct GgufFile {
  std::string path;
  std::unique_ptr<llvm::MemoryBuffer> buffer;  // what the values point into
  uint32_t version = 0;
  std::map<std::string, GgufValue, std::less<>> values;
  std::vector<CheckpointTensor> tensors;

  const GgufValue *find(llvm::StringRef key) const {
    auto found = values.find(key.str());
    return found == values.end() ? nullptr : &found->second;
  }
};

llvm::Expected<GgufFile> readGgufFile(llvm::StringRef path);

// The files and tensors of a checkpoint, into an empty one: of `file`, and of
// the other parts where it is the first of a split checkpoint.
llvm::Error readGgufTensors(const GgufFile &file, Checkpoint &to);

// The rest of it, from the (first) file, whose bytes may go after. On an error
// `to` has the settings and what was read of the config.
llvm::Error readGgufCheckpoint(const GgufFile &file, Checkpoint &to);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_GGUF_GGUF_H
