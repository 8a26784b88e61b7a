// SPDX-License-Identifier: Apache-2.0
// Reading checks every type and range, for the file may be anyone's: roles, ids
// below the vocabulary, ids that spell the text they stand for. nlohmann's
// exceptions end here.
#include "runtime/chat/ConversationFile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/model/JsonText.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "gemmac-conversation";
constexpr int kVersion = 1;
constexpr off_t kMostBytes = off_t{1} << 28;

Status systemError(const std::string &path, const char *what) {
  return Status(Code::Io, path + ": " + what + ": " + strerror(errno));
}

Status readRegular(const std::string &path, std::string &text) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return systemError(path, "cannot be opened");
  struct stat facts;
  Status status;
  if (fstat(file, &facts) != 0)
    status = systemError(path, "cannot be read");
  else if (!S_ISREG(facts.st_mode))
    status = Status(Code::InvalidInput,
                    path + ": expected a file, found another thing");
  else if (facts.st_size > kMostBytes)
    status = Status(Code::InvalidInput,
                    path + ": expected a conversation of at most " +
                        std::to_string(kMostBytes) + " bytes, found " +
                        std::to_string(facts.st_size));
  char buffer[65536];
  ssize_t count = 1;
  while (status.ok() && count > 0) {
    count = read(file, buffer, sizeof(buffer));
    if (count > 0) text.append(buffer, count);
    if (count < 0 && errno != EINTR)
      status = systemError(path, "cannot be read");
    if (count < 0) count = 1;
  }
  close(file);
  return status;
}

bool isConversation(const Json &root) {
  if (!root.is_object()) return false;
  auto format = root.find("format");
  return format != root.end() && *format == kFormat;
}

Status parseFile(const std::string &path, Json &root) {
  std::string text;
  Status status = readRegular(path, text);
  if (!status.ok()) return status;
  root = Json::parse(text, nullptr, false);
  if (!isConversation(root))
    return Status(Code::InvalidInput,
                  path +
                      ": expected a conversation that /save wrote, found "
                      "another file");
  return {};
}

void expect(bool good, const std::string &message) {
  if (!good) throw std::invalid_argument(message);
}

Message readMessage(const Json &entry, const Model &model,
                    const std::string &where) {
  expect(entry.is_object(), where + ": expected an object");
  Message message;
  message.role = entry.at("role").get<std::string>();
  message.text = entry.at("content").get<std::string>();
  auto tokens = entry.find("tokens");
  if (tokens == entry.end()) return message;
  expect(tokens->is_array() && message.role == "assistant",
         where + ": expected tokens as an array, and of an answer only");
  // Ids behind the tokenizer's last piece can be sampled and have no text.
  int32_t vocabulary = model.code().vocabulary;
  StreamDecoder decoder(model.tokenizer());
  std::string spelled;
  for (const Json &id : *tokens) {
    expect(id.is_number_integer() && id >= 0 && id < vocabulary,
           where + ": expected a token id below " + std::to_string(vocabulary) +
               ", found " + shown(id));
    message.tokens.push_back(id.get<int32_t>());
    decoder.append(message.tokens.back(), spelled);
  }
  decoder.finish(spelled);
  // Else the model would go on from another answer than the one shown.
  expect(spelled == message.text,
         where + ": expected tokens that spell the content");
  return message;
}

// Throws what is wrong.
ChatState readState(const Json &root, const Model &model) {
  expect(root.at("version") == kVersion,
         "expected version " + std::to_string(kVersion) + ", found " +
             shown(root.at("version")));
  const Json &from = root.at("model");
  std::string id = modelId(model);
  expect(from.at("id") == id,
         "expected a conversation with " + shown(model.metadata().name) + " (" +
             id + "), found one with " + shown(from.at("name")) + " (" +
             shown(from.at("id")) + ")");
  ChatState state;
  expect(root.at("seed").is_number_unsigned() &&
             root.at("answers").is_number_unsigned(),
         "expected a seed and a number of answers from 0 on");
  state.seed = root.at("seed").get<uint64_t>();
  state.answers = root.at("answers").get<uint64_t>();
  const Json &messages = root.at("messages");
  expect(messages.is_array(), "expected an array of messages");
  for (const Json &entry : messages)
    state.messages.push_back(readMessage(
        entry, model, "message " + std::to_string(state.messages.size() + 1)));
  return state;
}

std::string writeState(const Model &model, const ChatState &state) {
  Json messages = Json::array();
  for (const Message &message : state.messages) {
    Json entry = {{"role", message.role}, {"content", message.text}};
    if (!message.tokens.empty()) entry["tokens"] = message.tokens;
    messages.push_back(std::move(entry));
  }
  Json root = {
      {"format", kFormat},
      {"version", kVersion},
      {"model", {{"name", model.metadata().name}, {"id", modelId(model)}}},
      {"seed", state.seed},
      {"answers", state.answers},
      {"messages", messages},
  };
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// `path` holds all of `text`, or an error and no file that was not there.
Status writeNew(const std::string &path, std::string_view text) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return systemError(path, "cannot be created");
  Status status;
  while (!text.empty() && status.ok()) {
    ssize_t count = write(file, text.data(), text.size());
    if (count > 0) text.remove_prefix(count);
    if (count < 0 && errno != EINTR)
      status = systemError(path, "cannot be written");
  }
  if (status.ok() && fsync(file) != 0)
    status = systemError(path, "cannot be written");
  if (close(file) != 0 && status.ok())
    status = systemError(path, "cannot be written");
  if (!status.ok()) unlink(path.c_str());
  return status;
}

// Where `path` leads, so that a link stays one.
std::string resolved(const std::string &path) {
  char *found = realpath(path.c_str(), nullptr);
  std::string result = found == nullptr ? path : found;
  free(found);
  return result;
}

}  // namespace

std::string modelId(const Model &model) {
  uint64_t hash;
  if (model.container().isOpen())
    hash = model.container().trailer().sections[GEMMA_SECTION_WEIGHTS].hash;
  else
    hash = XXH3_64bits(model.weights(), model.code().weight_bytes);
  char text[17];
  snprintf(text, sizeof(text), "%016llx",
           static_cast<unsigned long long>(hash));
  return text;
}

Status saveConversation(const std::string &path, const Model &model,
                        const ChatState &state) {
  std::string to = resolved(path);
  struct stat facts;
  if (lstat(to.c_str(), &facts) == 0) {
    Json there;
    Status status = parseFile(to, there);
    if (!status.ok())
      return Status(status.code(),
                    status.message() + ": it is not overwritten");
  }
  std::string part = to + "." + std::to_string(getpid()) + ".tmp";
  Status status = writeNew(part, writeState(model, state));
  if (!status.ok()) return status;
  if (rename(part.c_str(), to.c_str()) == 0) return {};
  status = systemError(to, "cannot be written");
  unlink(part.c_str());
  return status;
}

Result<ChatState> loadConversation(const std::string &path,
                                   const Model &model) {
  Json root;
  Status status = parseFile(path, root);
  if (!status.ok()) return status;
  try {
    return readState(root, model);
  } catch (const std::exception &error) {
    return Status(Code::InvalidInput, path + ": " + error.what());
  }
}

}  // namespace gemma
