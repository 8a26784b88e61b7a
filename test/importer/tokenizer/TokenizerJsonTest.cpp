// SPDX-License-Identifier: Apache-2.0
// tokenizer.json: the same ids as Hugging Face's tokenizers library (its
// answers were recorded) and as the same vocabulary's tokenizer.model; refusals
// by name. The files: test/support/tokenizer/make_tokenizer_json.py.
#include "compiler/importer/tokenizer/TokenizerJson.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/importer/tokenizer/SentencePieceModel.h"
#include "compiler/importer/tokenizer/TokenizerBlob.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace gemmac::importer {
namespace {

using Json = nlohmann::json;

std::string fixture(const std::string &name) {
  std::ifstream file(std::string(GEMMAC_TOKENIZER_FIXTURES "/") + name,
                     std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << name;
  return text.str();
}

TokenizerModel readJson(const Json &root) {
  auto model = readTokenizerJson(root, {});
  if (model) return *model;
  ADD_FAILURE() << model.message();
  return {};
}

// A run-time tokenizer over its own section.
class Encoder {
 public:
  explicit Encoder(const TokenizerModel &model) {
    auto blob = writeTokenizerBlob(model);
    EXPECT_TRUE(blob);
    if (!blob) return;
    section.resize((blob->size() + 7) / 8);
    std::memcpy(section.data(), blob->data(), blob->size());
    EXPECT_TRUE(tokenizer.load(section.data(), blob->size()));
  }
  std::vector<int32_t> encode(const std::string &text) const {
    std::vector<int32_t> ids;
    EXPECT_TRUE(tokenizer.encode(text, ids)) << text;
    return ids;
  }
  std::string decode(const std::vector<int32_t> &ids) const {
    std::string text;
    EXPECT_TRUE(tokenizer.decode(ids, text));
    return text;
  }

 private:
  std::vector<uint64_t> section;
  gemma::Tokenizer tokenizer;
};

TEST(TokenizerJson, GivesTheLibrarysIds) {
  Encoder ours(readJson(Json::parse(fixture("tokenizer.json"))));
  Json samples = Json::parse(fixture("samples.json"));
  ASSERT_GT(samples.size(), 30u);
  for (const Json &sample : samples) {
    auto text = sample["text"].get<std::string>();
    auto ids = ours.encode(text);
    EXPECT_EQ(ids, sample["ids"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(ours.decode(ids), sample["decoded"].get<std::string>());
  }
}

TEST(TokenizerJson, EqualsTheModelFile) {
  TokenizerModel fromJson = readJson(Json::parse(fixture("tokenizer.json")));
  auto fromModel = readSentencePieceModel(fixture("tokenizer.model"));
  ASSERT_TRUE(fromModel) << fromModel.message();
  // What is special stands in one file as Control, in the other as text.
  demoteStructuralPieces(fromJson);
  demoteStructuralPieces(*fromModel);
  ASSERT_EQ(fromJson.pieces.size(), fromModel->pieces.size());
  for (size_t id = 0; id < fromJson.pieces.size(); ++id) {
    EXPECT_EQ(fromJson.pieces[id].text, fromModel->pieces[id].text) << id;
    EXPECT_EQ(fromJson.pieces[id].type, fromModel->pieces[id].type) << id;
  }
  EXPECT_EQ(fromJson.bosId, fromModel->bosId);
  EXPECT_EQ(fromJson.eosId, fromModel->eosId);
  EXPECT_EQ(fromJson.padId, fromModel->padId);
  EXPECT_EQ(fromJson.unkId, fromModel->unkId);
  EXPECT_EQ(fromJson.addBos, fromModel->addBos);
  Encoder json(fromJson), model(*fromModel);
  for (const Json &sample : Json::parse(fixture("samples.json"))) {
    std::string text = sample["text"];
    for (const std::string &tried :
         {text, text + "<end_of_turn>\n<start_of_turn>model" + text,
          "\t\t" + text + "\x80\xFF", text.substr(0, text.size() / 2)})
      EXPECT_EQ(json.encode(tried), model.encode(tried)) << tried;
  }
}

TEST(TokenizerJson, TakesMergesOfBothForms) {
  Json root = Json::parse(fixture("tokenizer.json"));
  TokenizerModel lists = readJson(root);
  for (Json &merge : root["model"]["merges"])
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  TokenizerModel strings = readJson(root);
  ASSERT_EQ(lists.pieces.size(), strings.pieces.size());
  for (size_t id = 0; id < lists.pieces.size(); ++id)
    EXPECT_EQ(lists.pieces[id].score, strings.pieces[id].score) << id;
}

TEST(TokenizerJson, FindsRolesByName) {
  auto model = readTokenizerJson(Json::parse(fixture("tokenizer.json")),
                                 {"<mask>", "<pad>", "none", false});
  ASSERT_TRUE(model) << model.message();
  EXPECT_EQ(model->pieces[model->bosId].text, "<mask>");
  EXPECT_EQ(model->pieces[model->eosId].text, "<pad>");
  EXPECT_EQ(model->padId, -1);
  EXPECT_FALSE(model->addBos);
}

// Changes the good file in one place; the message must hold `words`.
void expectRefused(const std::function<void(Json &)> &change,
                   const std::string &words) {
  static const Json good = Json::parse(fixture("tokenizer.json"));
  Json root = good;
  change(root);
  root = Json::parse(root.dump());  // numbers of the kinds that files have
  auto model = readTokenizerJson(root, {});
  ASSERT_FALSE(model) << words;
  EXPECT_NE(model.message().find(words), std::string::npos) << model.message();
}

TEST(TokenizerJson, RefusesOtherPipelinesByName) {
  expectRefused([](Json &r) { r["normalizer"] = {{"type", "NFKC"}}; },
                "normalizer: expected a replacement of spaces");
  expectRefused([](Json &r) { r.erase("normalizer"); }, "found null");
  expectRefused([](Json &r) { r["pre_tokenizer"] = {{"type", "ByteLevel"}}; },
                "pre_tokenizer: expected none");
  expectRefused(
      [](Json &r) { r["decoder"]["decoders"].push_back({{"type", "Strip"}}); },
      "decoder: expected Replace, ByteFallback and Fuse");
  expectRefused([](Json &r) { r["model"]["type"] = "Unigram"; },
                "type: expected \"BPE\"");
  expectRefused([](Json &r) { r["model"]["byte_fallback"] = false; },
                "byte_fallback: expected true");
  expectRefused([](Json &r) { r["model"]["ignore_merges"] = true; },
                "ignore_merges: expected false");
  expectRefused([](Json &r) { r["model"]["dropout"] = 0.5; },
                "dropout: expected none");
  expectRefused([](Json &r) { r["model"]["end_of_word_suffix"] = "</w>"; },
                "end_of_word_suffix: expected none");
  expectRefused([](Json &r) { r["model"]["unk_token"] = nullptr; },
                "unk_token: expected a piece");
  expectRefused([](Json &r) { r["added_tokens"][0]["lstrip"] = true; },
                "expected lstrip false");
}

TEST(TokenizerJson, RefusesHostileVocabularies) {
  auto vocabulary = [](const char *text, Json id) {
    return [=](Json &r) { r["model"]["vocab"][text] = id; };
  };
  expectRefused(vocabulary("zzz", -1), "expected an id below 4194304");
  expectRefused(vocabulary("zzz", 1.5), "expected an id below 4194304");
  expectRefused(vocabulary("zzz", "1"), "expected an id below 4194304");
  expectRefused(vocabulary("zzz", UINT64_MAX), "expected an id below 4194304");
  expectRefused(vocabulary("zzz", 4000000), "the number of pieces");
  expectRefused(vocabulary("zzz", 902), "expected a piece of every id");
  expectRefused(vocabulary("zzz", 700), "expected one piece of id 700");
  expectRefused(vocabulary("", 901), "piece 901 is empty");
  expectRefused([](Json &r) { r["model"]["vocab"].erase("<0x41>"); },
                "expected a piece of every id");
  expectRefused([](Json &r) { r["model"]["vocab"] = Json::array({1}); },
                "model.vocab: expected an object");
  expectRefused([](Json &r) { r["model"] = 3; }, "type: expected");
  expectRefused([](Json &r) { r["added_tokens"] = 3; }, "expected a list");
  expectRefused([](Json &r) { r["added_tokens"].push_back({{"id", 7}}); },
                "expected a content");
  expectRefused([](Json &r) { r["model"]["merges"] = Json::array(); },
                "model.merges: expected a list");
  expectRefused([](Json &r) { r["model"]["merges"][3] = {"a", "b", "c"}; },
                "model.merges: entry 3");
  expectRefused([](Json &r) { r["model"]["merges"][3] = "a b c"; },
                "model.merges: entry 3");
  expectRefused([](Json &r) { r["model"]["merges"][3] = {"q", "zzzz"}; },
                "merge 3 of");
  EXPECT_FALSE(readTokenizerJson(Json::array(), {}));
  EXPECT_FALSE(readTokenizerJson(Json(), {}));
}

}  // namespace
}  // namespace gemmac::importer
