// Opening, parsing and wording; see the header. JSON is parsed with a callback
// that checks keys and depth while nothing of the document is trusted yet.
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

constexpr int kMaxJsonDepth = 64;

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
  std::vector<std::set<std::string>> keys;
  std::string refusal;
  auto check = [&](int depth, Json::parse_event_t event, Json &value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end && !keys.empty()) {
      keys.pop_back();
    } else if (event == Event::key && !keys.empty()) {
      const auto &key = value.get_ref<const std::string &>();
      if (!keys.back().insert(key).second && refusal.empty())
        refusal = "key '" + printable(key) + "' stands twice in one object";
    }
    if (depth > kMaxJsonDepth && refusal.empty())
      refusal = "expected at most " + std::to_string(kMaxJsonDepth) +
                " levels of nesting";
    return refusal.empty();
  };
  Json root = Json::parse(text.begin(), text.end(), check,
                          /*allow_exceptions=*/false);
  if (!refusal.empty()) return importError(file + ": " + refusal);
  if (root.is_discarded()) return importError(file + ": malformed JSON");
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
