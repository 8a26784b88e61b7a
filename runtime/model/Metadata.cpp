// SPDX-License-Identifier: Apache-2.0
// Reading of the metadata section with nlohmann::json, whose exceptions end
// here. Does not interpret the licence, the sources or the sizes: they are for
// people and are shown as they are.
#include "runtime/model/Metadata.h"

#include <cmath>
#include <exception>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

namespace gemma {
namespace {

using Json = nlohmann::json;

// Throws on a wrong type, with the key's name in the message.
class Reader {
 public:
  Reader(const Json &object, int64_t vocabulary)
      : object(object), vocabulary(vocabulary) {}

  const Json *find(const char *key) const {
    auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  void string(const char *key, std::string &to) const {
    const Json *value = find(key);
    if (value == nullptr) return;
    expect(value->is_string(), key, "a string");
    to = value->get<std::string>();
  }

  void number(const char *key, std::optional<double> &to) const {
    const Json *value = find(key);
    if (value == nullptr) return;
    expect(value->is_number() && std::isfinite(value->get<double>()), key,
           "a number");
    to = value->get<double>();
  }

  void integer(const char *key, std::optional<int64_t> &to) const {
    const Json *value = find(key);
    if (value == nullptr) return;
    expect(value->is_number_integer(), key, "an integer");
    to = value->get<int64_t>();
  }

  void boolean(const char *key, std::optional<bool> &to) const {
    const Json *value = find(key);
    if (value == nullptr) return;
    expect(value->is_boolean(), key, "true or false");
    to = value->get<bool>();
  }

  // One id, or a list of them.
  void tokens(const char *key, std::vector<int32_t> &to) const {
    const Json *value = find(key);
    if (value == nullptr) return;
    to.clear();
    if (!value->is_array()) return to.push_back(token(*value, key));
    for (const Json &entry : *value) to.push_back(token(entry, key));
  }

  int32_t token(const Json &value, const char *key) const {
    expect(value.is_number_integer(), key, "a token id");
    auto id = value.get<int64_t>();
    expect(id >= 0 && id < vocabulary, key, "an id below the vocabulary");
    return static_cast<int32_t>(id);
  }

  static void expect(bool good, const char *key, const char *what) {
    if (!good)
      throw std::invalid_argument("expected " + std::string(what) + " for \"" +
                                  key + "\"");
  }

 private:
  const Json &object;
  int64_t vocabulary;
};

void readGeneration(const Reader &reader, GenerationDefaults &to) {
  reader.boolean("do_sample", to.doSample);
  reader.number("temperature", to.temperature);
  reader.integer("top_k", to.topK);
  reader.number("top_p", to.topP);
  reader.number("min_p", to.minP);
  reader.number("repetition_penalty", to.repetitionPenalty);
  reader.tokens("suppress_tokens", to.suppressedTokens);
}

// An integer of at least 0, which has to be there.
int64_t count(const Json &object, const char *key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  Reader::expect(found != object.end() && found->is_number_integer() &&
                     found->get<int64_t>() >= 0,
                 key, "an integer of at least 0");
  return found->get<int64_t>();
}

const Json &list(const Json &object, const char *key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  Reader::expect(found != object.end() && found->is_array(), key, "a list");
  return *found;
}

void readPhases(const Json &entry, int64_t vocabulary, EntryPhases &to) {
  for (const Json &one : list(entry, "kinds")) {
    PhaseKind kind;
    kind.weightBytes = count(one, "weight_bytes");
    kind.operations = count(one, "operations");
    Reader reader(one, vocabulary);
    reader.string("name", kind.name);
    if (reader.find("cache") != nullptr)
      for (const Json &use : list(one, "cache"))
        kind.cache.push_back({count(use, "window"), count(use, "bytes"),
                              count(use, "operations")});
    to.kinds.push_back(std::move(kind));
  }
  for (const Json &index : list(entry, "order")) {
    Reader::expect(
        index.is_number_unsigned() && index.get<uint64_t>() < to.kinds.size(),
        "order", "indices of kinds");
    to.order.push_back(index.get<size_t>());
  }
}

void readAll(std::string_view text, int64_t vocabulary, Metadata &to) {
  Json root = Json::parse(text);
  Reader::expect(root.is_object(), "metadata", "an object");
  Reader reader(root, vocabulary);
  reader.string("name", to.name);
  reader.string("architecture", to.architecture);
  reader.string("chat_template", to.chatTemplate);
  reader.string("licence", to.licence);
  if (const Json *bos = reader.find("bos"))
    if (*bos != -1) to.bos = reader.token(*bos, "bos");
  reader.tokens("eos", to.eos);
  std::optional<int64_t> bytes;
  reader.integer("weight_bytes_per_token", bytes);
  to.weightBytesPerToken = bytes.value_or(0);
  if (const Json *phases = reader.find("phases")) {
    Reader::expect(phases->is_object(), "phases", "an object");
    constexpr const char *kEntries[] = {"decode", "batch", "prefill", "head",
                                        "arg_max"};
    for (size_t i = 0; i < to.phases.size(); ++i)
      if (auto entry = phases->find(kEntries[i]); entry != phases->end())
        readPhases(*entry, vocabulary, to.phases[i]);
  }
  if (const Json *generation = reader.find("generation")) {
    Reader::expect(generation->is_object(), "generation", "an object");
    readGeneration(Reader(*generation, vocabulary), to.generation);
  }
  if (const Json *options = reader.find("options")) {
    Reader::expect(options->is_object(), "options", "an object");
    Reader inner(*options, vocabulary);
    inner.string("target", to.target);
    inner.string("quant", to.quantization);
    inner.string("kv", to.cache);
  }
}

}  // namespace

Result<Metadata> Metadata::parse(std::string_view text, int64_t vocabulary) {
  try {
    Metadata result;
    result.text = text;
    readAll(text, vocabulary, result);
    return result;
  } catch (const std::exception &error) {
    return Status(Code::InvalidInput, std::string("metadata: ") + error.what());
  }
}

}  // namespace gemma
