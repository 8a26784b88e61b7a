// SPDX-License-Identifier: Apache-2.0
// Opening, parsing and wording; see the header. JSON is read twice:
// once for its keys and depth, while nothing of it is trusted, then to keep.
#include "compiler/importer/CheckpointFile.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using Json = nlohmann::json;

namespace gemmac::importer {
namespace {

constexpr size_t kMaxJsonDepth = 64;

// Looks at a document before it is kept. Not the parser's own callback: with
// one, each object's end goes through all members that its parent has so far.
class JsonCheck : public nlohmann::json_sax<Json> {
 public:
  std::string refusal;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t &key) override {
    if (keys.back().insert(key).second) return true;
    refusal = "key '" + printable(key) + "' stands twice in one object";
    return false;
  }
  bool parse_error(std::size_t, const std::string &,
                   const Json::exception &) override {
    return false;
  }

 private:
  bool open() {
    keys.emplace_back();
    if (keys.size() <= kMaxJsonDepth) return true;
    refusal = "expected at most " + std::to_string(kMaxJsonDepth) +
              " levels of nesting";
    return false;
  }
  bool close() {
    keys.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys;  // of each level that is open
};

}  // namespace

Error importError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Expected<std::unique_ptr<MemoryBuffer>> openFile(StringRef path,
                                                 uint64_t limit) {
  sys::fs::file_status status;
  if (std::error_code error = sys::fs::status(path, status))
    return importError(path + ": " + error.message());
  if (!sys::fs::is_regular_file(status))
    return importError(path + ": expected a regular file");
  if (status.getSize() > limit)
    return importError(path + ": expected at most " + Twine(limit) +
                       " bytes, found " + Twine(status.getSize()));
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer) return importError(path + ": " + buffer.getError().message());
  return std::move(*buffer);
}

std::string printable(StringRef text) {
  std::string result;
  for (unsigned char byte : text.take_front(80)) {
    if (byte >= 0x20 && byte != 0x7F && byte < 0x80 && byte != '\\')
      result += static_cast<char>(byte);
    else
      result += "\\x" + utohexstr(byte, /*LowerCase=*/true, /*Width=*/2);
  }
  if (text.size() > 80) result += "...";
  return result;
}

Expected<Json> parseJsonObject(StringRef text, StringRef file) {
  JsonCheck check;
  bool good = Json::sax_parse(text.begin(), text.end(), &check);
  if (!check.refusal.empty()) return importError(file + ": " + check.refusal);
  if (!good) return importError(file + ": malformed JSON");
  Json root = Json::parse(text.begin(), text.end(), nullptr,
                          /*allow_exceptions=*/false);
  if (!root.is_object()) return importError(file + ": expected a JSON object");
  return root;
}

Expected<Json> readJsonFile(StringRef path, uint64_t limit) {
  auto buffer = openFile(path, limit);
  if (!buffer) return buffer.takeError();
  return parseJsonObject((*buffer)->getBuffer(), path);
}

std::optional<int64_t> multiply(int64_t a, int64_t b) {
  int64_t product;
  if (MulOverflow(a, b, product)) return std::nullopt;
  return product;
}

}  // namespace gemmac::importer
