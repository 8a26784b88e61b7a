// SPDX-License-Identifier: Apache-2.0
// Fields of a line, each checked for type and range. The first that is wrong is
// thrown and caught in this file.
#include "runtime/app/commands/RequestLine.h"

#include <cmath>
#include <exception>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/SamplingFlags.h"
#include "runtime/model/JsonText.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

void expect(bool good, const std::string &message) {
  if (!good) throw std::invalid_argument(message);
}

double numberOf(const Json &value, const std::string &key, double least,
                double most) {
  double number = value.is_number() ? value.get<double>() : NAN;
  // Written so that a NaN fails.
  if (!(number >= least && number <= most)) {
    char range[80];
    snprintf(range, sizeof(range), "expected a number from %g to %g for \"",
             least, most);
    throw std::invalid_argument(range + key + "\", found " + shown(value));
  }
  return number;
}

int64_t integerOf(const Json &value, const std::string &key, int64_t most) {
  bool good = value.is_number_unsigned() &&
              value.get<uint64_t>() <= static_cast<uint64_t>(most);
  expect(good, "expected an integer from 0 to " + std::to_string(most) +
                   " for \"" + key + "\", found " + shown(value));
  return value.get<int64_t>();
}

std::string textOf(const Json &value, const std::string &key) {
  expect(value.is_string(),
         "expected a text for \"" + key + "\", found " + shown(value));
  return value.get<std::string>();
}

std::vector<std::string> stopsOf(const Json &value) {
  std::vector<std::string> stops;
  if (value.is_array())
    for (const Json &entry : value) stops.push_back(textOf(entry, "stop"));
  else if (!value.is_null())
    stops.push_back(textOf(value, "stop"));
  for (const std::string &stop : stops)
    expect(!stop.empty(), "expected a text for \"stop\", found an empty one");
  return stops;
}

std::vector<Message> messagesOf(const Json &value) {
  expect(value.is_array(),
         "expected an array for \"messages\", found " + shown(value));
  std::vector<Message> messages;
  for (const Json &entry : value) {
    expect(entry.is_object() && entry.size() == 2 && entry.contains("role") &&
               entry.contains("content"),
           "expected messages with \"role\" and \"content\", found " +
               shown(entry));
    messages.push_back({textOf(entry["role"], "role"),
                        textOf(entry["content"], "content"),
                        {}});
  }
  return messages;
}

// True: `key` is one of the sampler's and now in `options`.
bool readSamplingField(const std::string &key, const Json &value,
                       SamplerOptions &options) {
  bool known = key == "top_k" || key == "seed";
  if (key == "top_k") options.topK = integerOf(value, key, INT32_MAX);
  if (key == "seed") options.seed = integerOf(value, key, INT64_MAX);
  for (const SamplingNumber &number : samplingNumbers())
    if (key == number.field) {
      options.*number.to = numberOf(value, key, number.least, number.most);
      known = true;
    }
  // As a flag would: who sets them wants to sample.
  if (key == "temperature" || key == "top_k" || key == "top_p" ||
      key == "min_p")
    options.doSample = true;
  return known;
}

RequestLine readObject(const Json &object, const GenerationOptions &defaults) {
  RequestLine request{defaults, {}, {}};
  for (const auto &[key, value] : object.items()) {
    if (key == "prompt")
      request.prompt = textOf(value, key);
    else if (key == "messages")
      request.messages = messagesOf(value);
    else if (key == "max_tokens")
      request.options.maxTokens = integerOf(value, key, INT32_MAX);
    else if (key == "stop")
      request.options.stopTexts = stopsOf(value);
    else
      expect(readSamplingField(key, value, request.options.sampling),
             "unknown field " + shown(key));
  }
  bool text = object.contains("prompt"), chat = object.contains("messages");
  expect(text != chat, "expected one of \"prompt\" and \"messages\", found " +
                           std::string(text ? "both" : "none"));
  return request;
}

}  // namespace

Result<RequestLine> readRequestLine(const std::string &line,
                                    const GenerationOptions &defaults) {
  try {
    Json object = Json::parse(line, nullptr, false);
    expect(object.is_object(),
           "expected a JSON object, found " +
               std::string(object.is_discarded() ? "no JSON"
                                                 : object.type_name()));
    return readObject(object, defaults);
  } catch (const std::bad_alloc &) {
    return Status(Code::OutOfMemory, "out of memory");
  } catch (const std::exception &error) {
    return Status(Code::InvalidInput, error.what());
  }
}

}  // namespace gemma
