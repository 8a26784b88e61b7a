// SPDX-License-Identifier: Apache-2.0
// The four wire types that are in use; see the header. Groups, which protobuf
// gave up, are refused.
#include "compiler/importer/tokenizer/ProtobufReader.h"

#include <bit>

namespace gemmac::importer {

using Type = ProtobufField::Type;

Result<void> ProtobufField::expect(Type wanted) const {
  if (type == wanted) return {};
  return Failure{"tokenizer.model: field " + std::to_string(number) +
                 ": expected wire type " +
                 std::to_string(static_cast<int>(wanted)) + ", found " +
                 std::to_string(static_cast<int>(type))};
}

Result<void> ProtobufField::take(std::string_view &into) const {
  if (Result<void> good = expect(Type::Bytes); !good) return good;
  into = bytes;
  return {};
}

Result<void> ProtobufField::take(bool &into) const {
  if (Result<void> good = expect(Type::Varint); !good) return good;
  into = value != 0;
  return {};
}

Result<void> ProtobufField::take(int64_t &into) const {
  if (Result<void> good = expect(Type::Varint); !good) return good;
  into = static_cast<int64_t>(value);
  return {};
}

Result<void> ProtobufField::take(float &into) const {
  if (Result<void> good = expect(Type::Fixed32); !good) return good;
  into = std::bit_cast<float>(static_cast<uint32_t>(value));
  return {};
}

Failure ProtobufReader::fail(const std::string &problem) const {
  return {"tokenizer.model: byte " + std::to_string(rest.data() - file.data()) +
          ": " + problem};
}

Result<ProtobufField> ProtobufReader::next() {
  Result<uint64_t> tag = varint();
  if (!tag) return tag.failure();
  ProtobufField field;
  field.number = static_cast<uint32_t>(*tag >> 3);
  if (field.number == 0 || *tag >> 32 != 0)
    return fail("expected a field number from 1 to 536870911");
  field.type = static_cast<Type>(*tag & 7);
  if (field.type == Type::Bytes) {
    Result<std::string_view> found = bytes();
    if (!found) return found.failure();
    field.bytes = *found;
    return field;
  }
  Result<uint64_t> number = field.type == Type::Varint    ? varint()
                            : field.type == Type::Fixed64 ? fixed(8)
                            : field.type == Type::Fixed32
                                ? fixed(4)
                                : fail(
                                      "expected wire type 0, 1, 2 or 5, "
                                      "found " +
                                      std::to_string(*tag & 7));
  if (!number) return number.failure();
  field.value = *number;
  return field;
}

Result<uint64_t> ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest.empty()) return fail("expected more of a varint, found the end");
    auto byte = static_cast<unsigned char>(rest.front());
    // The tenth byte has room for one bit.
    if (shift == 63 && byte > 1) break;
    rest.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return fail("expected a varint of 64 bits, found a longer one");
}

Result<uint64_t> ProtobufReader::fixed(size_t size) {
  if (rest.size() < size)
    return fail("expected " + std::to_string(size) + " bytes, found " +
                std::to_string(rest.size()));
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(rest[i]))
             << (8 * i);
  rest.remove_prefix(size);
  return value;
}

Result<std::string_view> ProtobufReader::bytes() {
  Result<uint64_t> size = varint();
  if (!size) return size.failure();
  if (*size > rest.size())
    return fail("expected " + std::to_string(*size) + " bytes, found " +
                std::to_string(rest.size()));
  std::string_view taken = rest.substr(0, *size);
  rest.remove_prefix(*size);
  return taken;
}

}  // namespace gemmac::importer
