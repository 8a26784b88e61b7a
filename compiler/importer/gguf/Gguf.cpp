// SPDX-License-Identifier: Apache-2.0
// The structure of a GGUF file: header, key-value pairs, tensor table. Every
// count, length, product and offset is compared with the bytes that are left
// before it is used; nothing is allocated from a number of the file alone.
#include "compiler/importer/gguf/Gguf.h"

#include <cmath>
#include <set>

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/TensorNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

constexpr uint64_t kMaxAlignment = 65536;
constexpr size_t kMaxNameBytes = 127;
constexpr size_t kMaxKeyBytes = 65535;

// A tensor type of the file. All are listed, so that `inspect` can name one
// that the compiler cannot take.
struct TensorKind {
  uint32_t id;
  const char *name;
  int64_t columns, bytes;  // of one block
};
constexpr TensorKind kTensorKinds[] = {
    {0, "f32", 1, 4},         {1, "f16", 1, 2},
    {2, "q4_0", 32, 18},      {3, "q4_1", 32, 20},
    {6, "q5_0", 32, 22},      {7, "q5_1", 32, 24},
    {8, "q8_0", 32, 34},      {9, "q8_1", 32, 36},
    {10, "q2_k", 256, 84},    {11, "q3_k", 256, 110},
    {12, "q4_k", 256, 144},   {13, "q5_k", 256, 176},
    {14, "q6_k", 256, 210},   {15, "q8_k", 256, 292},
    {16, "iq2_xxs", 256, 66}, {17, "iq2_xs", 256, 74},
    {18, "iq3_xxs", 256, 98}, {19, "iq1_s", 256, 50},
    {20, "iq4_nl", 32, 18},   {21, "iq3_s", 256, 110},
    {22, "iq2_s", 256, 82},   {23, "iq4_xs", 256, 136},
    {24, "i8", 1, 1},         {25, "i16", 1, 2},
    {26, "i32", 1, 4},        {27, "i64", 1, 8},
    {28, "f64", 1, 8},        {29, "iq1_m", 256, 56},
    {30, "bf16", 1, 2},       {34, "tq1_0", 256, 54},
    {35, "tq2_0", 256, 66},   {39, "mxfp4", 32, 17},
};

// Bytes of a scalar; 0 for strings, arrays and numbers that are no type.
size_t scalarBytes(GgufType type) {
  constexpr uint8_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  auto index = static_cast<uint32_t>(type);
  return index < std::size(kBytes) ? kBytes[index] : 0;
}

class Reader {
 public:
  explicit Reader(StringRef bytes, StringRef file) : bytes(bytes), file(file) {}

  size_t position() const { return at; }
  size_t left() const { return bytes.size() - at; }

  Error fail(const Twine &message) const {
    return importError(file + ": " + message + " (at byte " + Twine(at) + ")");
  }
  Error take(uint64_t count, StringRef &to, const Twine &what) {
    if (count > left())
      return fail(what + ": expected " + Twine(count) + " bytes, found " +
                  Twine(left()) + " to the file's end");
    to = bytes.substr(at, count);
    at += count;
    return Error::success();
  }
  template <typename T>
  Error number(T &to, const Twine &what) {
    StringRef raw;
    if (Error error = take(sizeof(T), raw, what)) return error;
    to = support::endian::read<T>(raw.data(), endianness::little);
    return Error::success();
  }
  Error string(StringRef &to, const Twine &what) {
    uint64_t length;
    if (Error error = number(length, what)) return error;
    return take(length, to, what);
  }

 private:
  StringRef bytes, file;
  size_t at = 0;
};

Error readArray(Reader &reader, GgufValue &value, const Twine &what) {
  uint32_t element;
  if (Error error = reader.number(element, what)) return error;
  if (Error error = reader.number(value.count, what)) return error;
  value.element = static_cast<GgufType>(element);
  size_t size = scalarBytes(value.element);
  if (size) {
    if (value.count > reader.left() / size)
      return reader.fail(what + ": expected at most " +
                         Twine(reader.left() / size) + " elements, found " +
                         Twine(value.count));
    return reader.take(value.count * size, value.bytes, what);
  }
  if (value.element != GgufType::String)
    return reader.fail(what + ": unsupported array element type " +
                       Twine(element));
  if (value.count > reader.left() / sizeof(uint64_t))
    return reader.fail(what + ": expected at most " +
                       Twine(reader.left() / sizeof(uint64_t)) +
                       " strings, found " + Twine(value.count));
  Reader start = reader;
  StringRef ignored;
  for (uint64_t i = 0; i < value.count; ++i)
    if (Error error = reader.string(ignored, what)) return error;
  return start.take(reader.position() - start.position(), value.bytes, what);
}

Error readValue(Reader &reader, GgufValue &value, const Twine &what) {
  uint32_t type;
  if (Error error = reader.number(type, what)) return error;
  value.type = static_cast<GgufType>(type);
  if (value.type == GgufType::String) return reader.string(value.bytes, what);
  if (value.type == GgufType::Array) return readArray(reader, value, what);
  size_t size = scalarBytes(value.type);
  if (!size) return reader.fail(what + ": unknown value type " + Twine(type));
  if (Error error = reader.take(size, value.bytes, what)) return error;
  if (value.type == GgufType::Bool && uint8_t(value.bytes[0]) > 1)
    return reader.fail(what + ": expected a boolean of 0 or 1");
  return Error::success();
}

Error readValues(Reader &reader, uint64_t count, GgufFile &file) {
  // A key's length, one byte, a type and one byte of value.
  constexpr uint64_t kLeast = 8 + 1 + 4 + 1;
  if (count > reader.left() / kLeast)
    return reader.fail("expected at most " + Twine(reader.left() / kLeast) +
                       " key-value pairs, found " + Twine(count));
  for (uint64_t i = 0; i < count; ++i) {
    StringRef key;
    if (Error error = reader.string(key, "key " + Twine(i))) return error;
    if (key.empty() || key.size() > kMaxKeyBytes)
      return reader.fail("key " + Twine(i) + ": expected 1 to " +
                         Twine(kMaxKeyBytes) + " bytes, found " +
                         Twine(key.size()));
    GgufValue value;
    if (Error error = readValue(reader, value, "key " + printable(key)))
      return error;
    if (!file.values.emplace(key.str(), value).second)
      return reader.fail("key " + printable(key) + " stands twice");
  }
  return Error::success();
}

// Dimensions (innermost first in the file) and type to shape and bytes.
Error readLayout(Reader &reader, CheckpointTensor &tensor, const Twine &what) {
  uint32_t rank, type;
  if (Error error = reader.number(rank, what)) return error;
  if (rank < 1 || rank > 4)
    return reader.fail(what + ": expected 1 to 4 dimensions, found " +
                       Twine(rank));
  std::optional<int64_t> elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    uint64_t size;
    if (Error error = reader.number(size, what)) return error;
    if (size == 0 || size > uint64_t(INT64_MAX))
      return reader.fail(what + ": dimension " + Twine(i) + " is " +
                         Twine(size));
    tensor.shape.insert(tensor.shape.begin(), int64_t(size));
    if (elements) elements = multiply(*elements, int64_t(size));
  }
  if (Error error = reader.number(type, what)) return error;
  auto kind = find_if(
      kTensorKinds, [&](const TensorKind &known) { return known.id == type; });
  if (kind == std::end(kTensorKinds))
    return reader.fail(what + ": unknown tensor type " + Twine(type));
  tensor.format = kind->name;
  if (tensor.shape.back() % kind->columns)
    return reader.fail(what + ": expected columns in multiples of " +
                       Twine(kind->columns) + " for " + tensor.format +
                       ", found " + Twine(tensor.shape.back()));
  auto bytes = elements ? multiply(*elements / kind->columns, kind->bytes)
                        : std::nullopt;
  if (!bytes) return reader.fail(what + ": its size overflows 64 bits");
  tensor.bytes = *bytes;
  return Error::success();
}

// Offsets come back relative to the data's start.
Error readTensors(Reader &reader, uint64_t count, uint64_t alignment,
                  GgufFile &file) {
  // A name's length, one byte, rank, one dimension, type, offset.
  constexpr uint64_t kLeast = 8 + 1 + 4 + 8 + 4 + 8;
  if (count > reader.left() / kLeast)
    return reader.fail("expected at most " + Twine(reader.left() / kLeast) +
                       " tensors, found " + Twine(count));
  std::set<StringRef> names;
  for (uint64_t i = 0; i < count; ++i) {
    CheckpointTensor tensor;
    StringRef name;
    if (Error error = reader.string(name, "tensor " + Twine(i))) return error;
    if (name.empty() || name.size() > kMaxNameBytes)
      return reader.fail("tensor " + Twine(i) + ": expected a name of 1 to " +
                         Twine(kMaxNameBytes) + " bytes, found " +
                         Twine(name.size()));
    std::string what = "tensor " + printable(name);
    if (!names.insert(name).second) return reader.fail(what + " stands twice");
    tensor.name = name.str();
    tensor.path = ggufNameToPath(name);
    if (Error error = readLayout(reader, tensor, what)) return error;
    uint64_t offset;
    if (Error error = reader.number(offset, what)) return error;
    if (offset % alignment)
      return reader.fail(what + ": expected an offset that is a multiple of " +
                         Twine(alignment) + ", found " + Twine(offset));
    if (offset > uint64_t(INT64_MAX))
      return reader.fail(what + ": offset " + Twine(offset) +
                         " lies beyond the file's end");
    tensor.offset = int64_t(offset);
    file.tensors.push_back(std::move(tensor));
  }
  return Error::success();
}

Expected<uint64_t> readAlignment(const GgufFile &file) {
  const GgufValue *value = file.find("general.alignment");
  if (!value) return 32;
  std::optional<int64_t> alignment = value->integer();
  if (!alignment || *alignment <= 0 || *alignment > int64_t(kMaxAlignment) ||
      !isPowerOf2_64(uint64_t(*alignment)))
    return importError(file.path +
                       ": general.alignment: expected a power of "
                       "two of at most 65536, found " +
                       (alignment ? Twine(*alignment) : Twine("another type")));
  return uint64_t(*alignment);
}

// Makes offsets absolute; every tensor inside the file, none on another.
Error placeTensors(GgufFile &file, uint64_t dataStart) {
  uint64_t size = file.buffer->getBufferSize();
  std::vector<CheckpointTensor *> order;
  for (CheckpointTensor &tensor : file.tensors) {
    uint64_t available = size > dataStart ? size - dataStart : 0;
    if (uint64_t(tensor.offset) > available ||
        uint64_t(tensor.bytes) > available - uint64_t(tensor.offset))
      return importError(
          file.path + ": tensor " + printable(tensor.name) + ": expected " +
          Twine(tensor.bytes) + " bytes at offset " + Twine(tensor.offset) +
          " of the data, found " + Twine(available) + " bytes of data");
    tensor.offset += int64_t(dataStart);
    order.push_back(&tensor);
  }
  llvm::sort(order, [](auto *a, auto *b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->offset < order[i - 1]->offset + order[i - 1]->bytes)
      return importError(file.path + ": tensors " +
                         printable(order[i - 1]->name) + " and " +
                         printable(order[i]->name) + " overlap");
  return Error::success();
}

}  // namespace

Expected<GgufFile> readGgufFile(StringRef path) {
  auto buffer = openFile(path);
  if (!buffer) return buffer.takeError();
  GgufFile file;
  file.path = path.str();
  file.buffer = std::move(*buffer);
  Reader reader(file.buffer->getBuffer(), file.path);
  StringRef magic;
  if (Error error = reader.take(4, magic, "magic")) return std::move(error);
  if (magic != "GGUF")
    return importError(path + ": expected the magic 'GGUF', found '" +
                       printable(magic) + "'");
  if (Error error = reader.number(file.version, "version"))
    return std::move(error);
  if (file.version != 2 && file.version != 3) {
    bool swapped = byteswap(file.version) == 2 || byteswap(file.version) == 3;
    return importError(
        path + ": expected GGUF version 2 or 3, found " +
        (swapped ? Twine("a big-endian file") : Twine(file.version)));
  }
  uint64_t tensors, values;
  if (Error error = reader.number(tensors, "tensor count"))
    return std::move(error);
  if (Error error = reader.number(values, "key-value count"))
    return std::move(error);
  if (Error error = readValues(reader, values, file)) return std::move(error);
  auto alignment = readAlignment(file);
  if (!alignment) return alignment.takeError();
  if (Error error = readTensors(reader, tensors, *alignment, file))
    return std::move(error);
  if (Error error = placeTensors(file, alignTo(reader.position(), *alignment)))
    return std::move(error);
  return file;
}

}  // namespace gemmac::importer
