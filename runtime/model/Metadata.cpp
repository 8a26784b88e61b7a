// SPDX-License-Identifier: Apache-2.0
// Reading of the metadata section: a list of fields for each of its objects,
// and the first field that is wrong is the failure that is told. Does not
// interpret the licence, the sources or the sizes: they are for people and are
// shown as they are.
#include "runtime/model/Metadata.h"

#include <algorithm>
#include <cmath>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/model/JsonText.h"

namespace gemma {
namespace {

// Not nlohmann::json: one kind of JSON in an executable is enough code.
using Json = nlohmann::ordered_json;

// What all objects of one section share.
struct Reading {
  int64_t vocabulary;
  Status first;  // failure

  bool expect(bool good, const char *what, const char *key, const Json &found) {
    if (!good && first.ok())
      first = Status(Code::InvalidInput, std::string("metadata: expected ") +
                                             what + " for \"" + key +
                                             "\", found " + shown(found));
    return good;
  }
};

// The fields of one object. A field that is missing or null leaves `to` as it
// is, but for those of which is said that they have to be there.
class Fields {
 public:
  Fields(const Json &object, Reading &reading)
      : object(object), reading(reading) {}

  void read(const char *key, std::string &to) {
    const Json *value = find(key);
    if (value && expect(value->is_string(), "a string", key, *value))
      to = value->get<std::string>();
  }

  void read(const char *key, std::optional<double> &to) {
    const Json *value = find(key);
    if (value &&
        expect(value->is_number() && std::isfinite(value->get<double>()),
               "a finite number", key, *value))
      to = value->get<double>();
  }

  void read(const char *key, std::optional<bool> &to) {
    const Json *value = find(key);
    if (value && expect(value->is_boolean(), "true or false", key, *value))
      to = value->get<bool>();
  }

  void read(const char *key, std::optional<int64_t> &to) {
    const Json *value = find(key);
    if (value && expect(value->is_number_integer(), "an integer", key, *value))
      to = value->get<int64_t>();
  }

  // One id, or -1: none.
  void readToken(const char *key, int32_t &to) {
    const Json *value = find(key);
    if (value == nullptr || *value == -1) return;
    if (expectToken(key, *value)) to = value->get<int32_t>();
  }

  // One id, or a list of them.
  void read(const char *key, std::vector<int32_t> &to) {
    const Json *value = find(key);
    if (value == nullptr) return;
    to.clear();
    if (!value->is_array()) return addToken(key, *value, to);
    for (const Json &entry : *value) addToken(key, entry, to);
  }

  // It has to be there, and is at least 0.
  void readCount(const char *key, int64_t &to) {
    const Json &value = get(key);
    if (expect(isCount(value), "an integer of at least 0", key, value))
      to = value.get<int64_t>();
  }

  // Reads each entry of an object of integers of at least 0.
  template <typename Read>
  void readCounts(const char *key, Read read) {
    const Json *value = find(key);
    if (!value || !expect(value->is_object(), "an object", key, *value)) return;
    for (const auto &[name, entry] : value->items())
      if (expect(isCount(entry), "integers of at least 0", key, entry))
        read(name, entry.template get<int64_t>());
  }

  // Reads an object's own fields.
  template <typename Read>
  void readObject(const char *key, Read read) {
    const Json *value = find(key);
    if (value && expect(value->is_object(), "an object", key, *value))
      read(Fields(*value, reading));
  }

  // Reads each entry of a list that has to be there.
  template <typename Read>
  void readList(const char *key, Read read) {
    const Json &value = get(key);
    if (!expect(value.is_array(), "a list", key, value)) return;
    for (const Json &entry : value) read(entry);
  }

  // Reads the fields of each object of such a list.
  template <typename Read>
  void readObjects(const char *key, Read read) {
    readList(key, [&](const Json &entry) {
      if (expect(entry.is_object(), "objects", key, entry))
        read(Fields(entry, reading));
    });
  }

  bool has(const char *key) const { return find(key) != nullptr; }
  bool expect(bool good, const char *what, const char *key, const Json &found) {
    return reading.expect(good, what, key, found);
  }

 private:
  static bool isCount(const Json &value) {
    return value.is_number_integer() && value.get<int64_t>() >= 0;
  }

  const Json *find(const char *key) const {
    auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  const Json &get(const char *key) const {
    static const Json null;
    const Json *found = find(key);
    return found ? *found : null;
  }

  bool expectToken(const char *key, const Json &value) {
    bool good = value.is_number_integer() && value.get<int64_t>() >= 0 &&
                value.get<int64_t>() < reading.vocabulary;
    return expect(good, "ids below the vocabulary's size", key, value);
  }

  void addToken(const char *key, const Json &value, std::vector<int32_t> &to) {
    if (expectToken(key, value)) to.push_back(value.get<int32_t>());
  }

  const Json &object;
  Reading &reading;
};

void readGeneration(Fields fields, GenerationDefaults &to) {
  fields.read("do_sample", to.doSample);
  fields.read("temperature", to.temperature);
  fields.read("top_k", to.topK);
  fields.read("top_p", to.topP);
  fields.read("min_p", to.minP);
  fields.read("repetition_penalty", to.repetitionPenalty);
  fields.read("suppress_tokens", to.suppressedTokens);
}

PhaseKind readKind(Fields fields) {
  PhaseKind kind;
  fields.readCount("weight_bytes", kind.weightBytes);
  fields.readCount("operations", kind.operations);
  fields.read("name", kind.name);
  if (!fields.has("cache")) return kind;
  fields.readObjects("cache", [&](Fields use) {
    CacheUse &to = kind.cache.emplace_back();
    use.readCount("window", to.window);
    use.readCount("bytes", to.bytes);
    use.readCount("operations", to.operations);
  });
  return kind;
}

void readPhases(Fields fields, EntryPhases &to) {
  fields.readObjects("kinds",
                     [&](Fields kind) { to.kinds.push_back(readKind(kind)); });
  fields.readList("order", [&](const Json &index) {
    bool good =
        index.is_number_unsigned() && index.get<uint64_t>() < to.kinds.size();
    if (fields.expect(good, "indices of kinds", "order", index))
      to.order.push_back(index.get<size_t>());
  });
}

void readFormats(Fields fields, std::vector<StoredFormat> &to) {
  fields.readCounts("weight_bytes_by_format",
                    [&](const std::string &name, int64_t bytes) {
                      to.push_back({name, 0, bytes});
                    });
  fields.readCounts("tensors_by_format",
                    [&](const std::string &name, int64_t tensors) {
                      for (StoredFormat &format : to)
                        if (format.name == name) format.tensors = tensors;
                    });
  // Largest first; names decide between equals, so that the order is one.
  std::sort(to.begin(), to.end(),
            [](const StoredFormat &a, const StoredFormat &b) {
              return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
            });
}

void readAll(Fields fields, Metadata &to) {
  fields.read("name", to.name);
  fields.read("architecture", to.architecture);
  fields.read("chat_template", to.chatTemplate);
  fields.read("licence", to.licence);
  fields.readToken("bos", to.bos);
  fields.read("eos", to.eos);
  std::optional<int64_t> bytes;
  fields.read("weight_bytes_per_token", bytes);
  to.weightBytesPerToken = bytes.value_or(0);
  readFormats(fields, to.formats);
  fields.readObject("phases", [&](Fields phases) {
    constexpr const char *kEntries[] = {"decode", "batch", "prefill", "head",
                                        "arg_max"};
    for (size_t i = 0; i < to.phases.size(); ++i)
      phases.readObject(kEntries[i],
                        [&](Fields entry) { readPhases(entry, to.phases[i]); });
  });
  fields.readObject("generation", [&](Fields generation) {
    readGeneration(generation, to.generation);
  });
  fields.readObject("options", [&](Fields options) {
    options.read("target", to.target);
    options.read("quant", to.quantization);
    options.read("kv", to.cache);
  });
}

}  // namespace

Result<Metadata> Metadata::parse(std::string_view text, int64_t vocabulary) {
  Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object())
    return Status(Code::InvalidInput,
                  "metadata: expected a JSON object, found " +
                      (root.is_discarded() ? "no JSON" : shown(root)));
  Metadata metadata;
  metadata.text = text;
  Reading reading{vocabulary, {}};
  readAll(Fields(root, reading), metadata);
  if (!reading.first.ok()) return reading.first;
  return metadata;
}

}  // namespace gemma
