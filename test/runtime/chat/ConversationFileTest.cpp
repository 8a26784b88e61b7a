// SPDX-License-Identifier: Apache-2.0
// Conversations on disk: what comes back goes on as if it had never left, and
// whose files are refused or not overwritten.
#include "runtime/chat/ConversationFile.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "test/runtime/ContainerWriter.h"
#include "test/runtime/FakeModel.h"
#include "test/runtime/TinyTokenizer.h"

namespace gemma {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr char kNewer[] =
    "{\"name\":\"toy\",\"bos\":2,\"eos\":[1],\"chat_template\":\"gemma3\"}";
constexpr char kOlder[] =
    "{\"name\":\"old\",\"bos\":2,\"eos\":[1],\"chat_template\":\"gemma\"}";

class ConversationFileTest : public testing::Test {
 protected:
  ConversationFileTest()
      : folder(testing::TempDir() + "conversation-" +
               testing::UnitTest::GetInstance()->current_test_info()->name()),
        path(folder + "/chat.json") {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
  }

  void SetUp() override {
    load(model, kNewer, fakeWeights());
    ASSERT_TRUE(engine.start(model, 2).ok());
    options.maxTokens = 20;
    options.sampling.temperature = 1.5;
    options.sampling.seed = 11;
  }

  static void load(Model &model, const char *metadata,
                   std::span<const uint8_t> weights) {
    ASSERT_EQ(model
                  .load(fakeModel(kTinyVocabulary), metadata, tinyTokenizer(),
                        weights)
                  .message(),
              "");
  }

  std::string ask(Chat &chat, const char *text) {
    GenerationResult result;
    EXPECT_EQ(chat.answer(text, {}, result).message(), "");
    return result.text;
  }

  // A conversation of two turns in `path`.
  void save(Chat &chat) {
    ASSERT_EQ(chat.setSystem("be terse").message(), "");
    ask(chat, "hello");
    ask(chat, "again");
    ASSERT_EQ(saveConversation(path, model, chat.state()).message(), "");
  }

  Json readFile() {
    std::ifstream file(path);
    return Json::parse(file);
  }

  // The error after a change of the file; "" for none.
  template <typename Change>
  std::string errorAfter(Change change) {
    Json root = readFile();
    change(root);
    writeFile(folder + "/changed.json", root.dump());
    return loadConversation(folder + "/changed.json", model).status().message();
  }

  std::string folder, path;
  Model model;
  Engine engine;
  GenerationOptions options;
};

TEST_F(ConversationFileTest, GoesOnAsIfItHadNeverLeft) {
  Session session(engine), fresh(engine);
  Chat chat(session, options);
  save(chat);
  std::string next = ask(chat, "more"), last = ask(chat, "and more");
  EXPECT_NE(next, last);
  // Another seed and another conversation before.
  options.sampling.seed = 12;
  Chat other(fresh, options);
  ask(other, "something else");
  Result<ChatState> state = loadConversation(path, model);
  ASSERT_EQ(state.status().message(), "");
  ASSERT_EQ(other.restore(*state, {}).message(), "");
  EXPECT_EQ(other.messages().size(), 5u);
  // Read already: what is left for the next answer is the question.
  EXPECT_GT(fresh.position(), 40);
  GenerationResult result;
  ASSERT_TRUE(other.answer("more", {}, result).ok());
  EXPECT_GE(result.reusedTokens + 20, result.promptTokens);
  EXPECT_EQ(result.text, next);
  EXPECT_EQ(ask(other, "and more"), last);
  // The system message is part of it.
  other.reset();
  ask(other, "hello");
  EXPECT_EQ(other.messages()[0].text, "be terse");
}

TEST_F(ConversationFileTest, RefusesAnotherModelsByName) {
  Session session(engine);
  Chat chat(session, options);
  save(chat);
  std::vector<uint64_t> memory(fakeWeights().size() / 8 + 8);
  void *start = memory.data();
  size_t room = memory.size() * 8;
  auto *bytes =
      static_cast<uint8_t *>(std::align(64, fakeWeights().size(), start, room));
  std::copy(fakeWeights().begin(), fakeWeights().end(), bytes);
  bytes[7] ^= 1;
  Model other;
  load(other, kOlder, {bytes, fakeWeights().size()});
  EXPECT_EQ(loadConversation(path, other).status().message(),
            path + ": expected a conversation with \"old\" (" + modelId(other) +
                "), found one with \"toy\" (\"" + modelId(model) + "\")");
  EXPECT_NE(modelId(other), modelId(model));
}

TEST_F(ConversationFileTest, ChecksWhatItReads) {
  Session session(engine);
  Chat chat(session, options);
  save(chat);
  EXPECT_EQ(errorAfter([](Json &) {}), "");
  for (const char *key : {"version", "model", "seed", "answers", "messages"})
    EXPECT_NE(errorAfter([&](Json &root) { root.erase(key); }), "") << key;
  EXPECT_NE(errorAfter([](Json &root) {
              root["version"] = 2;
            }).find("expected version 1, found 2"),
            std::string::npos);
  EXPECT_NE(errorAfter([](Json &root) { root["seed"] = -1; }), "");
  for (Json bad : {Json(-1), Json(kTinyVocabulary), Json("x"), Json(1.5)})
    EXPECT_NE(errorAfter([&](Json &root) {
                root["messages"][2]["tokens"][0] = bad;
              }).find("message 3: expected a token id below 300"),
              std::string::npos);
  // Ids of another answer than the one that is shown.
  EXPECT_NE(errorAfter([](Json &root) {
              root["messages"][2]["content"] = "I never said that";
            }).find("expected tokens that spell the content"),
            std::string::npos);
  for (const char *text :
       {"", "[]", "{}", "{\"format\":7}", "no JSON at all"}) {
    writeFile(folder + "/changed.json", text);
    EXPECT_NE(loadConversation(folder + "/changed.json", model)
                  .status()
                  .message()
                  .find("expected a conversation that /save wrote"),
              std::string::npos)
        << text;
  }
  EXPECT_EQ(loadConversation(folder, model).status().code(),
            Code::InvalidInput);
  EXPECT_EQ(loadConversation(folder + "/none", model).status().code(),
            Code::Io);
}

TEST_F(ConversationFileTest, RestoreChangesNothingOnAnError) {
  Session session(engine, 100);
  Chat chat(session, options);
  std::string first = ask(chat, "hello");
  ChatState state;
  state.messages = {{"user", "x", {}}};
  EXPECT_NE(chat.restore(state, {}).message(), "");
  state.messages = {{"user", std::string(200, 'q'), {}},
                    {"assistant", "y", {}}};
  EXPECT_NE(chat.restore(state, {}).message().find("below 100 tokens"),
            std::string::npos);
  ASSERT_EQ(chat.messages().size(), 2u);
  EXPECT_EQ(chat.messages()[1].text, first);
}

TEST_F(ConversationFileTest, OverwritesConversationsOnlyAndInOneStep) {
  Session session(engine);
  Chat chat(session, options);
  save(chat);
  ask(chat, "more");
  std::filesystem::create_symlink(path, folder + "/link");
  ASSERT_EQ(saveConversation(folder + "/link", model, chat.state()).message(),
            "");
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
  EXPECT_EQ(readFile()["messages"].size(), 7u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
  writeFile(folder + "/precious", "{\"messages\":[]}");
  EXPECT_NE(saveConversation(folder + "/precious", model, chat.state())
                .message()
                .find("it is not overwritten"),
            std::string::npos);
  std::ifstream file(folder + "/precious");
  std::stringstream all;
  all << file.rdbuf();
  EXPECT_EQ(all.str(), "{\"messages\":[]}");
  EXPECT_NE(saveConversation(folder, model, chat.state()).message(), "");
  EXPECT_NE(saveConversation(folder + "/none/x", model, chat.state()).message(),
            "");
}

TEST_F(ConversationFileTest, OlderModelsRefuseASystemMessage) {
  Model older;
  load(older, kOlder, fakeWeights());
  Engine own;
  ASSERT_TRUE(own.start(older, 1).ok());
  Session session(own);
  Chat chat(session, options);
  ask(chat, "hello");
  EXPECT_NE(
      chat.setSystem("be terse").message().find("expected no system message"),
      std::string::npos);
  EXPECT_EQ(chat.messages().size(), 2u);
  ask(chat, "again");
  EXPECT_EQ(chat.setSystem("").message(), "");
  ChatState state;
  state.messages = {{"system", "be terse", {}}};
  EXPECT_NE(chat.restore(state, {}).message(), "");
}

TEST_F(ConversationFileTest, AQuestionStoppedBeforeAnAnswerGoes) {
  Session session(engine);
  Chat chat(session, options);
  std::atomic<bool> cancel{true};
  GenerationResult result;
  ASSERT_TRUE(chat.answer("hello", {{}, {}, &cancel}, result).ok());
  EXPECT_EQ(result.reason, FinishReason::Cancelled);
  EXPECT_TRUE(chat.messages().empty());
  cancel = false;
  // A stop text leaves no ids that would spell it.
  std::string whole = ask(chat, "hello");
  chat.reset();
  options.stopTexts = {whole.substr(whole.size() / 2, 2)};
  Session other(engine);
  Chat stopped(other, options);
  std::string cut = ask(stopped, "hello");
  EXPECT_EQ(cut, whole.substr(0, whole.find(options.stopTexts[0])));
  EXPECT_TRUE(stopped.messages()[1].tokens.empty());
}

}  // namespace
}  // namespace gemma
