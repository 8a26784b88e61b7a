// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file, and the index of a sharded checkpoint; see
// the header file. Layout: u64 header bytes, a JSON object, the data.
#include "compiler/importer/huggingface/Safetensors.h"

#include <nlohmann/json.hpp>
#include <set>

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/TensorNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using Json = nlohmann::json;

namespace gemmac::importer {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxShards = 1024;

struct ElementKind {
  const char *name, *format;
  int64_t bytes;
};
constexpr ElementKind kElementKinds[] = {
    {"F32", "f32", 4},         {"F16", "f16", 2},
    {"BF16", "bf16", 2},       {"F64", "f64", 8},
    {"I64", "i64", 8},         {"I32", "i32", 4},
    {"I16", "i16", 2},         {"I8", "i8", 1},
    {"U64", "u64", 8},         {"U32", "u32", 4},
    {"U16", "u16", 2},         {"U8", "u8", 1},
    {"BOOL", "bool", 1},       {"F8_E4M3", "f8_e4m3", 1},
    {"F8_E5M2", "f8_e5m2", 1}, {"F8_E8M0", "f8_e8m0", 1},
};

std::optional<int64_t> sizeOf(const Json &value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  uint64_t size = value.get<uint64_t>();
  if (size > uint64_t(INT64_MAX)) return std::nullopt;
  return int64_t(size);
}

Error readShape(const Json &entry, CheckpointTensor &tensor,
                const std::string &what) {
  auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array() || shape->size() > kMaxRank)
    return importError(what + ": expected a shape of at most 8 dimensions");
  std::optional<int64_t> bytes = tensor.bytes;
  for (const Json &dimension : *shape) {
    auto size = sizeOf(dimension);
    if (!size)
      return importError(what + ": expected dimensions that are integers >= 0");
    tensor.shape.push_back(*size);
    if (bytes) bytes = multiply(*bytes, *size);
  }
  if (!bytes) return importError(what + ": its size overflows 64 bits");
  tensor.bytes = *bytes;
  return Error::success();
}

// The entry's dtype, shape and offsets, which must agree.
Error readEntry(const Json &entry, CheckpointTensor &tensor,
                const std::string &what) {
  if (!entry.is_object()) return importError(what + ": expected an object");
  auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string())
    return importError(what + ": expected a dtype");
  const auto &name = dtype->get_ref<const std::string &>();
  auto kind = find_if(kElementKinds, [&](const ElementKind &known) {
    return name == known.name;
  });
  if (kind == std::end(kElementKinds))
    return importError(what + ": unknown dtype '" + printable(name) + "'");
  tensor.format = kind->format;
  tensor.bytes = kind->bytes;
  if (Error error = readShape(entry, tensor, what)) return error;
  auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2)
    return importError(what + ": expected two data_offsets");
  auto begin = sizeOf((*offsets)[0]), end = sizeOf((*offsets)[1]);
  if (!begin || !end || *end < *begin)
    return importError(what + ": expected increasing data_offsets");
  if (*end - *begin != tensor.bytes)
    return importError(what + ": expected " + Twine(tensor.bytes) +
                       " bytes for its dtype and shape, found " +
                       Twine(*end - *begin));
  tensor.offset = *begin;
  return Error::success();
}

// The tensors cover the data exactly; makes their offsets absolute.
Error placeTensors(MutableArrayRef<CheckpointTensor> tensors, int64_t dataStart,
                   int64_t dataBytes, StringRef path) {
  std::vector<CheckpointTensor *> order;
  for (CheckpointTensor &tensor : tensors) order.push_back(&tensor);
  llvm::sort(order, [](auto *a, auto *b) {
    return std::pair(a->offset, a->bytes) < std::pair(b->offset, b->bytes);
  });
  int64_t at = 0;
  for (CheckpointTensor *tensor : order) {
    if (tensor->offset != at)
      return importError(path + ": tensor " + printable(tensor->name) +
                         ": expected data_offsets from " + Twine(at) +
                         ", found " + Twine(tensor->offset));
    if (tensor->bytes > dataBytes - at)
      return importError(path + ": tensor " + printable(tensor->name) +
                         ": expected " + Twine(tensor->bytes) +
                         " bytes, found " + Twine(dataBytes - at) +
                         " to the file's end");
    at += tensor->bytes;
    tensor->offset += dataStart;
  }
  if (at != dataBytes)
    return importError(path + ": expected " + Twine(at) +
                       " bytes of data, found " + Twine(dataBytes));
  return Error::success();
}

// Shards named in the index, each a plain file name.
Expected<std::set<std::string>> readIndex(StringRef path) {
  auto index = readJsonFile(path, kMaxHeaderBytes);
  if (!index) return index.takeError();
  auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object() || map->empty())
    return importError(path + ": expected a weight_map");
  std::set<std::string> shards;
  for (const Json &value : *map) {
    if (!value.is_string())
      return importError(path + ": weight_map: expected file names");
    const auto &name = value.get_ref<const std::string &>();
    StringRef file = name;
    // A name is looked up beside the index and nowhere else.
    bool isPlain = all_of(file, [](unsigned char c) {
      return c >= 0x20 && c != 0x7F && c != '/' && c != '\\';
    });
    if (!isPlain || file.starts_with(".") || !file.ends_with(".safetensors"))
      return importError(path +
                         ": expected a .safetensors file beside the "
                         "index, found '" +
                         printable(file) + "'");
    shards.insert(name);
  }
  if (shards.size() > kMaxShards)
    return importError(path + ": expected at most " + Twine(kMaxShards) +
                       " shards, found " + Twine(shards.size()));
  return shards;
}

Error checkUnique(const Checkpoint &checkpoint, StringRef folder) {
  std::set<StringRef> names;
  for (const CheckpointTensor &tensor : checkpoint.tensors)
    if (!names.insert(tensor.name).second)
      return importError(folder + ": tensor " + printable(tensor.name) +
                         " stands in two files");
  return Error::success();
}

}  // namespace

Error readSafetensors(StringRef path, Checkpoint &to) {
  auto buffer = openFile(path);
  if (!buffer) return buffer.takeError();
  StringRef bytes = (*buffer)->getBuffer();
  if (bytes.size() < 8)
    return importError(path + ": expected at least 8 bytes, found " +
                       Twine(bytes.size()));
  uint64_t header =
      support::endian::read<uint64_t>(bytes.data(), endianness::little);
  if (header > kMaxHeaderBytes || header > bytes.size() - 8)
    return importError(
        path + ": expected a header of at most " +
        Twine(std::min<uint64_t>(kMaxHeaderBytes, bytes.size() - 8)) +
        " bytes, found " + Twine(header));
  auto table = parseJsonObject(bytes.substr(8, header), path);
  if (!table) return table.takeError();
  size_t first = to.tensors.size();
  for (const auto &[name, entry] : table->items()) {
    if (name == "__metadata__") continue;
    CheckpointTensor tensor;
    tensor.name = name;
    tensor.path = huggingFaceNameToPath(name);
    tensor.file = int64_t(to.files.size());
    std::string what = (path + ": tensor " + printable(name)).str();
    if (Error error = readEntry(entry, tensor, what)) return error;
    to.tensors.push_back(std::move(tensor));
  }
  to.files.push_back(path.str());
  return placeTensors(MutableArrayRef(to.tensors).drop_front(first),
                      int64_t(8 + header), int64_t(bytes.size() - 8 - header),
                      path);
}

Error readSafetensorsFolder(StringRef folder, Checkpoint &to) {
  SmallString<256> single(folder), index(folder);
  sys::path::append(single, "model.safetensors");
  sys::path::append(index, "model.safetensors.index.json");
  if (sys::fs::exists(single)) return readSafetensors(single, to);
  if (!sys::fs::exists(index))
    return importError(folder +
                       ": expected model.safetensors or "
                       "model.safetensors.index.json");
  auto shards = readIndex(index);
  if (!shards) return shards.takeError();
  for (const std::string &shard : *shards) {
    SmallString<256> path(folder);
    sys::path::append(path, shard);
    if (Error error = readSafetensors(path, to)) return error;
  }
  return checkUnique(to, folder);
}

}  // namespace gemmac::importer
