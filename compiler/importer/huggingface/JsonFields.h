// SPDX-License-Identifier: Apache-2.0
// Typed look-ups in a JSON object that keep the first failure: a config reader
// then reads as a list of its fields. null counts as absent. Input: an object,
// not trusted; numbers come back finite and inside int64.
#ifndef GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_JSONFIELDS_H
#define GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_JSONFIELDS_H

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/importer/CheckpointFile.h"

namespace gemmac::importer {

class JsonFields {
 public:
  using Json = nlohmann::json;

  JsonFields(const Json &object, llvm::StringRef file)
      : object(object), file(file) {}

  const Json *find(const char *key) const {
    auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }
  bool has(const char *key) const { return object.contains(key); }
  std::optional<int64_t> integer(const char *key) {
    const Json *value = find(key);
    if (!value) return std::nullopt;
    if (auto result = asInteger(*value)) return result;
    fail(key, "an integer");
    return std::nullopt;
  }
  std::optional<double> number(const char *key) {
    const Json *value = find(key);
    if (!value) return std::nullopt;
    if (value->is_number() && std::isfinite(value->get<double>()))
      return value->get<double>();
    fail(key, "a finite number");
    return std::nullopt;
  }
  std::optional<bool> boolean(const char *key) {
    const Json *value = find(key);
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    fail(key, "true or false");
    return std::nullopt;
  }
  std::optional<std::string> string(const char *key) {
    const Json *value = find(key);
    if (!value) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    fail(key, "a string");
    return std::nullopt;
  }
  const Json *child(const char *key) {
    const Json *value = find(key);
    if (!value || value->is_object()) return value;
    fail(key, "an object");
    return nullptr;
  }
  // A token id or a list of them; nothing where the key is absent.
  std::optional<std::vector<int32_t>> tokens(const char *key) {
    const Json *value = find(key);
    if (!value) return std::nullopt;
    std::vector<int32_t> ids;
    Json list = value->is_array() ? *value : Json::array({*value});
    for (const Json &entry : list) {
      auto id = asInteger(entry);
      if (!id || *id < 0 || *id >= (1 << 22)) {
        fail(key, "token ids");
        return std::nullopt;
      }
      ids.push_back(int32_t(*id));
    }
    return ids;
  }
  void fail(const char *key, const llvm::Twine &expected) {
    if (refusal.empty())
      refusal = (file + ": " + key + ": expected " + expected).str();
  }
  void refuse(const llvm::Twine &message) {
    if (refusal.empty()) refusal = (file + ": " + message).str();
  }
  llvm::Error takeError() const {
    return refusal.empty() ? llvm::Error::success() : importError(refusal);
  }

 private:
  static std::optional<int64_t> asInteger(const Json &value) {
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() &&
        value.get<uint64_t>() > uint64_t(INT64_MAX))
      return std::nullopt;
    return value.get<int64_t>();
  }

  const Json &object;
  std::string file, refusal;
};

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_JSONFIELDS_H
