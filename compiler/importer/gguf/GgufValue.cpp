// SPDX-License-Identifier: Apache-2.0
// Typed reading of a GGUF value: widened, range-checked, nothing where the kind
// does not fit. The spans were bounds-checked when the file was read.
#include <cmath>

#include "compiler/importer/gguf/Gguf.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

template <typename T>
T load(const char *bytes) {
  return support::endian::read<T>(bytes, endianness::little);
}

template <typename T>
T loadFloat(const char *bytes) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  return bit_cast<T>(load<Bits>(bytes));
}

std::optional<int64_t> integerOf(GgufType type, const char *bytes) {
  switch (type) {
    case GgufType::U8:
      return load<uint8_t>(bytes);
    case GgufType::I8:
      return load<int8_t>(bytes);
    case GgufType::U16:
      return load<uint16_t>(bytes);
    case GgufType::I16:
      return load<int16_t>(bytes);
    case GgufType::U32:
      return load<uint32_t>(bytes);
    case GgufType::I32:
      return load<int32_t>(bytes);
    case GgufType::I64:
      return load<int64_t>(bytes);
    case GgufType::U64: {
      uint64_t value = load<uint64_t>(bytes);
      if (value > uint64_t(INT64_MAX)) return std::nullopt;
      return int64_t(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> numberOf(GgufType type, const char *bytes) {
  double value;
  if (type == GgufType::F32) {
    value = loadFloat<float>(bytes);
  } else if (type == GgufType::F64) {
    value = loadFloat<double>(bytes);
  } else {
    auto integer = integerOf(type, bytes);
    if (!integer) return std::nullopt;
    value = double(*integer);
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> GgufValue::integer() const {
  if (type == GgufType::String || type == GgufType::Array) return std::nullopt;
  return integerOf(type, bytes.data());
}

std::optional<double> GgufValue::number() const {
  if (type == GgufType::String || type == GgufType::Array) return std::nullopt;
  return numberOf(type, bytes.data());
}

std::optional<bool> GgufValue::boolean() const {
  if (type != GgufType::Bool) return std::nullopt;
  return bytes[0] != 0;
}

std::optional<std::vector<std::string>> GgufValue::strings() const {
  if (type != GgufType::Array || element != GgufType::String)
    return std::nullopt;
  std::vector<std::string> result;
  result.reserve(count);
  StringRef rest = bytes;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = load<uint64_t>(rest.data());
    result.push_back(rest.substr(8, length).str());
    rest = rest.drop_front(8 + length);
  }
  return result;
}

std::optional<std::vector<double>> GgufValue::numbers() const {
  if (type != GgufType::Array || element == GgufType::String || count == 0)
    return std::nullopt;
  size_t size = bytes.size() / count;
  std::vector<double> result;
  result.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const char *at = bytes.data() + i * size;
    auto value = element == GgufType::Bool ? std::optional<double>(*at != 0)
                                           : numberOf(element, at);
    if (!value) return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

}  // namespace gemmac::importer
