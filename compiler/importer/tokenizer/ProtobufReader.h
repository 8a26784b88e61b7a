// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format, field by field: 100 lines, where the protobuf library
// would add a code generator and megabytes. Input: a message's bytes, not
// trusted. Output: numbers and spans; what they mean is the caller's. Every
// read is checked against the end of the message; nothing recurses, so nesting
// cannot exhaust the stack. Source: protobuf's encoding specification.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_PROTOBUFREADER_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_PROTOBUFREADER_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/importer/tokenizer/Result.h"

namespace gemmac::importer {

struct ProtobufField {
  enum class Type { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

  uint32_t number = 0;
  Type type = Type::Varint;
  uint64_t value = 0;      // Varint, Fixed64, Fixed32
  std::string_view bytes;  // Bytes

  // A field of another type than its message declares is refused.
  Result<void> expect(Type wanted) const;
  Result<void> take(std::string_view &into) const;
  Result<void> take(bool &into) const;
  Result<void> take(int64_t &into) const;
  Result<void> take(float &into) const;
};

class ProtobufReader {
 public:
  // `message` lies in `file`, whose bytes errors count.
  ProtobufReader(std::string_view message, std::string_view file)
      : rest(message), file(file) {}

  bool atEnd() const { return rest.empty(); }
  Result<ProtobufField> next();

 private:
  Failure fail(const std::string &problem) const;
  Result<uint64_t> varint();
  Result<uint64_t> fixed(size_t size);
  Result<std::string_view> bytes();

  std::string_view rest;
  std::string_view file;
};

// Calls visit(field), which returns a Result<void>, for each field in turn.
template <typename Visit>
Result<void> eachField(std::string_view message, std::string_view file,
                       Visit visit) {
  ProtobufReader reader(message, file);
  while (!reader.atEnd()) {
    Result<ProtobufField> field = reader.next();
    if (!field) return field.failure();
    if (Result<void> done = visit(*field); !done) return done;
  }
  return {};
}

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_PROTOBUFREADER_H
