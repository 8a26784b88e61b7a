// SPDX-License-Identifier: Apache-2.0
// The tensors of a GGUF checkpoint: of one file, or of all parts of a split one
// (NAME-00001-of-00003.gguf, …), of which the first has the settings. Parts are
// looked up beside the first and must agree on how many they are.
// Source: llama.cpp, gguf-split (split.no, split.count, split.tensors.count).
#include <set>

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/gguf/Gguf.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

constexpr int64_t kMaxParts = 1024;

// An integer key, 0 where there is none.
Expected<int64_t> readKey(const GgufFile &file, StringRef key) {
  const GgufValue *value = file.find(key);
  if (!value) return 0;
  std::optional<int64_t> number = value->integer();
  if (!number || *number < 0)
    return importError(file.path + ": " + key + ": expected a count");
  return *number;
}

Error expectKey(const GgufFile &file, StringRef key, int64_t wanted) {
  auto found = readKey(file, key);
  if (!found) return found.takeError();
  if (*found == wanted) return Error::success();
  return importError(file.path + ": " + key + ": expected " + Twine(wanted) +
                     ", found " + Twine(*found));
}

std::string suffixOf(int64_t number, int64_t count) {
  return formatv("-{0,0+5}-of-{1,0+5}.gguf", number, count).str();
}

void append(const GgufFile &file, Checkpoint &to) {
  int64_t index = int64_t(to.files.size());
  to.files.push_back(file.path);
  for (CheckpointTensor tensor : file.tensors) {
    tensor.file = index;
    to.tensors.push_back(std::move(tensor));
  }
}

Error appendPart(const std::string &path, int64_t index, int64_t count,
                 Checkpoint &to) {
  auto part = readGgufFile(path);
  if (!part) return part.takeError();
  if (Error error = expectKey(*part, "split.count", count)) return error;
  if (Error error = expectKey(*part, "split.no", index)) return error;
  append(*part, to);
  return Error::success();
}

Error checkTensors(const GgufFile &first, const Checkpoint &to) {
  if (first.find("split.tensors.count"))
    if (Error error =
            expectKey(first, "split.tensors.count", int64_t(to.tensors.size())))
      return error;
  std::set<StringRef> names;
  for (const CheckpointTensor &tensor : to.tensors)
    if (!names.insert(tensor.name).second)
      return importError(to.files[size_t(tensor.file)] + ": tensor " +
                         printable(tensor.name) +
                         " stands in another part too");
  return Error::success();
}

}  // namespace

Error readGgufTensors(const GgufFile &file, Checkpoint &to) {
  to.isGguf = true;
  append(file, to);
  auto count = readKey(file, "split.count");
  if (!count) return count.takeError();
  if (*count <= 1) return Error::success();
  if (*count > kMaxParts)
    return importError(file.path + ": split.count: expected at most " +
                       Twine(kMaxParts) + ", found " + Twine(*count));
  StringRef stem = file.path;
  auto number = readKey(file, "split.no");
  if (!number) return number.takeError();
  if (*number != 0)
    return importError(file.path + ": expected the first of " + Twine(*count) +
                       " parts, found part " + Twine(*number + 1));
  if (!stem.consume_back(suffixOf(1, *count)))
    return importError(file.path + ": expected a name that ends with " +
                       suffixOf(1, *count) + ", being the first of " +
                       Twine(*count) + " parts");
  for (int64_t i = 1; i < *count; ++i)
    if (Error error =
            appendPart(stem.str() + suffixOf(i + 1, *count), i, *count, to))
      return error;
  return checkTensors(file, to);
}

}  // namespace gemmac::importer
