// SPDX-License-Identifier: Apache-2.0
// The commands end to end on the toy model in a real container: output, files
// and exit codes.
#include "runtime/app/App.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

constexpr char kMetadata[] =
    "{\"name\":\"toy\",\"architecture\":\"toy\",\"bos\":2,\"eos\":[1],"
    "\"chat_template\":\"gemma3\",\"licence\":\"free to test\","
    "\"weight_bytes_by_format\":{\"bf16\":512,\"f32\":40000,"
    "\"q4_0\":1234567},\"tensors_by_format\":{\"f32\":1,\"q4_0\":12},"
    "\"options\":{\"target\":\"fake\",\"quant\":\"keep\",\"kv\":\"f32\"}}";

class AppTest : public testing::Test {
 protected:
  AppTest()
      : folder(testing::TempDir() + "app-" +
               testing::UnitTest::GetInstance()->current_test_info()->name() +
               "-") {
    writeApp(kMetadata, asText(tinyTokenizer()));
  }

  void writeApp(std::string_view metadata, std::string_view tokenizer) {
    writeFile(folder + "app", makeContainer("code", metadata, tokenizer,
                                            asText(fakeWeights())));
  }

  int run(std::vector<std::string> words) {
    std::vector<const char *> pointers;
    for (const std::string &word : words) pointers.push_back(word.c_str());
    std::string path = folder + "app";
    Program program{&fakeModel(kTinyVocabulary), path.c_str()};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = runApp(program, pointers);
    fflush(stdout);
    output = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return code;
  }

  std::string read(const std::string &name) {
    std::ifstream file(folder + name, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }

  // The f32 rows of a .npy file; the header must name `shape`.
  std::vector<float> readNpy(const std::string &name,
                             const std::string &shape) {
    std::string bytes = read(name);
    EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    size_t start = 10 + static_cast<unsigned char>(bytes[8]) +
                   256 * static_cast<unsigned char>(bytes[9]);
    EXPECT_EQ(start % 64, 0u);
    EXPECT_NE(
        bytes.find("'descr': '<f4', 'fortran_order': False, 'shape': " + shape),
        std::string::npos);
    std::vector<float> values((bytes.size() - start) / 4);
    memcpy(values.data(), bytes.data() + start, values.size() * 4);
    return values;
  }

  std::string folder, output, errors;
};

double lossByDefinition(const std::vector<int32_t> &ids, size_t target) {
  std::vector<int32_t> prefix(ids.begin(), ids.begin() + target);
  auto logits = fakeLogits(prefix, kTinyVocabulary);
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit});
  return std::log(sum) - logits[ids[target]];
}

TEST_F(AppTest, EvalOfTokensWritesLogitsAndPerplexity) {
  std::vector<int32_t> ids;
  for (int i = 0; i < 75; ++i) ids.push_back((i * 53 + 7) % kTinyVocabulary);
  writeFile(folder + "ids.json", Json(ids).dump());
  for (const char *chunk : {"100", "1", "7"}) {
    ASSERT_EQ(run({"eval", "--tokens", folder + "ids.json", "--logits",
                   folder + "all.npy", "--last-logits", folder + "last.npy",
                   "--chunk", chunk, "--json", "-t", "2"}),
              0)
        << errors;
    auto all = readNpy("all.npy", "(75, 300)");
    std::vector<float> expected;
    for (size_t i = 1; i <= ids.size(); ++i) {
      auto row = fakeLogits(std::span(ids).first(i), kTinyVocabulary);
      expected.insert(expected.end(), row.begin(), row.end());
    }
    EXPECT_EQ(all, expected);
    EXPECT_EQ(readNpy("last.npy", "(300,)"),
              std::vector<float>(expected.end() - 300, expected.end()));
    double loss = 0;
    for (size_t target = 75 / 2 + 1; target < 75; ++target)
      loss += lossByDefinition(ids, target);
    Json result = Json::parse(output);
    EXPECT_NEAR(result["perplexity"], std::exp(loss / 37), 1e-6);
    EXPECT_EQ(result["scored"], 37);
    EXPECT_EQ(result["tokens"], 75);
  }
}

TEST_F(AppTest, EvalOfTextCutsWindowsAsLlamaCppDoes) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>('b' + i * 7 % 20);
  writeFile(folder + "text", text);
  Tokenizer tokenizer;
  auto section = tinyTokenizer();
  ASSERT_TRUE(tokenizer.load(section.data(), section.size()));
  std::vector<int32_t> ids = {2};
  ASSERT_TRUE(tokenizer.encode(text, ids));
  double loss = 0;
  for (size_t at : {0, 32}) {
    std::vector<int32_t> window(ids.begin() + at, ids.begin() + at + 32);
    window[0] = 2;
    for (size_t target = 17; target < 32; ++target)
      loss += lossByDefinition(window, target);
  }
  ASSERT_EQ(run({"eval", "--text", folder + "text", "--ctx", "32", "--chunks",
                 "2", "--json"}),
            0)
      << errors;
  EXPECT_NEAR(Json::parse(output)["perplexity"], std::exp(loss / 30), 1e-6);
  EXPECT_EQ(Json::parse(output)["scored"], 30);
  EXPECT_EQ(run({"eval", "--text", folder + "text", "--ctx", "512"}), 1);
  EXPECT_NE(errors.find("at least 512 tokens (--ctx), found"),
            std::string::npos);
}

TEST_F(AppTest, EvalRefusesBadTokenFiles) {
  for (const char *bad : {"", "{}", "[1,\"x\"]", "[-1]", "[1.5]", "[]", "[300]",
                          "[99999999999]"}) {
    writeFile(folder + "ids.json", bad);
    EXPECT_EQ(run({"eval", "--tokens", folder + "ids.json", "--logits",
                   folder + "none.npy"}),
              1)
        << bad;
    EXPECT_EQ(errors.rfind("error: ", 0), 0u);
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1);
  }
  EXPECT_EQ(read("none.npy"), "");
  EXPECT_EQ(run({"eval"}), 2);
  EXPECT_EQ(run({"eval", "--text", "x", "--logits", "y"}), 2);
}

TEST_F(AppTest, GenerateStreamsOrPrintsJson) {
  std::vector<std::string> words = {
      "generate", "-p", "abc",      "-n",    "12",
      "-t",       "2",  "--greedy", "--raw", "--ignore-eos"};
  ASSERT_EQ(run(words), 0) << errors;
  std::string streamed = output;
  words.push_back("--json");
  ASSERT_EQ(run(words), 0) << errors;
  Json result = Json::parse(output);
  EXPECT_EQ(result["tokens"].size(), 12u);
  EXPECT_EQ(result["completion_tokens"], 12);
  EXPECT_EQ(result["prompt_tokens"], 4);
  EXPECT_EQ(result["finish_reason"], "length");
  EXPECT_EQ(result["text"].get<std::string>() + "\n", streamed);
  EXPECT_TRUE(result["timings"].contains("predicted_per_second"));
  // With the template: five more pieces around the text, at least.
  words[8] = "--chat";
  ASSERT_EQ(run(words), 0) << errors;
  EXPECT_GT(Json::parse(output)["prompt_tokens"], 9);
}

TEST_F(AppTest, TheSeedDecidesTheAnswer) {
  auto answer = [this](const char *seed) {
    EXPECT_EQ(run({"generate", "--raw", "-p", "abc", "-n", "20", "-s", seed,
                   "--ignore-eos", "--temp", "1"}),
              0);
    return output;
  };
  std::string first = answer("1");
  EXPECT_EQ(answer("1"), first);
  EXPECT_NE(answer("2"), first);
}

TEST_F(AppTest, RefusesWithTheRightCode) {
  EXPECT_EQ(run({"nonsense"}), 2);
  EXPECT_EQ(run({"generate"}), 2);
  EXPECT_EQ(run({"generate", "-p", "x", "--chat", "--raw"}), 2);
  EXPECT_EQ(run({"generate", "-p", "x", "--temp", "hot"}), 2);
  EXPECT_EQ(run({"generate", "-p", std::string(5000, 'q')}), 1);
  EXPECT_NE(errors.find("at most 2048 tokens (the context), found 50"),
            std::string::npos);
  EXPECT_EQ(run({"generate", "-f", "/nonexistent"}), 1);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(run({"eval", "--help"}), 0);
  EXPECT_NE(output.find("--last-logits"), std::string::npos);
  EXPECT_EQ(run({"--version"}), 0);
}

TEST_F(AppTest, AModelWithoutTokenizerOrTemplateSaysSo) {
  writeApp("{\"bos\":2}", "");
  EXPECT_EQ(run({"generate", "-p", "x"}), 1);
  EXPECT_NE(errors.find("has no tokenizer"), std::string::npos);
  writeFile(folder + "ids.json", "[2,3,4]");
  EXPECT_EQ(run({"eval", "--tokens", folder + "ids.json"}), 0) << errors;
  writeApp("{\"bos\":2}", asText(tinyTokenizer()));
  EXPECT_EQ(run({"generate", "-p", "x", "--chat"}), 1);
  EXPECT_NE(errors.find("no chat template"), std::string::npos);
  EXPECT_EQ(run({}), 1);
  EXPECT_EQ(run({"generate", "-p", "x", "-n", "1"}), 0) << errors;
}

TEST_F(AppTest, InfoShowsAndVerifies) {
  ASSERT_EQ(run({"info"}), 0) << errors;
  EXPECT_NE(output.find("toy (toy)"), std::string::npos);
  EXPECT_NE(output.find("\n  stored        q4_0: 12 tensors, 1.2 MB; "
                        "f32: 1 tensor, 40 kB; bf16: 512 B\n"),
            std::string::npos)
      << output;
  ASSERT_EQ(run({"info", "--print-license"}), 0);
  EXPECT_EQ(output, "free to test\n");
  ASSERT_EQ(run({"info", "--json", "--verify"}), 0) << errors;
  Json object = Json::parse(output);
  EXPECT_EQ(object["name"], "toy");
  EXPECT_EQ(object["verified"], true);
  EXPECT_EQ(object["code"]["vocabulary"], kTinyVocabulary);
  EXPECT_EQ(object["memory"]["weight_bytes"], kFakeWeightBytes);
  // A bit of the weights: found by --verify, not at start.
  std::string bytes = read("app");
  bytes[bytes.size() - 1000] ^= 4;
  writeFile(folder + "app", bytes);
  EXPECT_EQ(run({"info"}), 0);
  EXPECT_EQ(run({"info", "--verify"}), 1);
  EXPECT_NE(errors.find("the weights section is damaged"), std::string::npos);
}

TEST_F(AppTest, BenchPrintsRowsWithLlamaBenchsNames) {
  ASSERT_EQ(run({"bench", "-p", "40,0", "-n", "5", "-d", "0,300", "-r", "2",
                 "--json"}),
            0)
      << errors;
  Json rows = Json::parse(output);
  ASSERT_EQ(rows.size(), 5u);
  for (int i = 0; i < 4; ++i) {
    for (const char *key :
         {"n_prompt", "n_gen", "n_depth", "n_threads", "avg_ts", "stddev_ts",
          "read_bytes_per_second", "dot_operations_per_second"})
      EXPECT_TRUE(rows[i].contains(key)) << key;
    EXPECT_EQ(rows[i]["samples_ts"].size(), 2u);
  }
  EXPECT_EQ(rows[3]["n_gen"], 5);
  EXPECT_EQ(rows[3]["n_depth"], 300);
  EXPECT_TRUE(rows[4].contains("peak_resident_bytes"));
}

TEST_F(AppTest, LinesOfPromptsGiveWhatEachGivesAlone) {
  // More than the answers that share a pass, of several lengths, one too long.
  std::string lines;
  std::vector<Json> expected;
  for (int i = 0; i < 13; ++i) {
    std::string prompt(1 + i * 29 % 100, static_cast<char>('a' + i));
    std::string length = std::to_string(3 + i * 17 % 23);
    ASSERT_EQ(run({"generate", "--raw", "-p", prompt, "-n", length, "-s", "5",
                   "--temp", "1.2", "--json", "-t", "1"}),
              0)
        << errors;
    expected.push_back(Json::parse(output));
    lines += Json{{"prompt", prompt}, {"max_tokens", std::stoi(length)}}.dump();
    lines += i == 12 ? "" : "\n";
  }
  writeFile(folder + "in", lines);
  for (const char *threads : {"1", "2", "3"}) {
    ASSERT_EQ(run({"generate", "--raw", "--jsonl", folder + "in", "-s", "5",
                   "--temp", "1.2", "-t", threads}),
              0)
        << errors;
    std::stringstream stream(output);
    std::string line;
    for (int i = 0; i < 13; ++i) {
      ASSERT_TRUE(std::getline(stream, line));
      Json object = Json::parse(line);
      EXPECT_EQ(object["index"], i);
      for (const char *key : {"text", "tokens", "finish_reason",
                              "prompt_tokens", "completion_tokens"})
        EXPECT_EQ(object[key], expected[i][key]) << i << " " << key;
      EXPECT_TRUE(object.contains("timings"));
    }
    EXPECT_FALSE(std::getline(stream, line));
  }
}

TEST_F(AppTest, LinesOverrideTheFlags) {
  std::string text =
      "{\"prompt\":\"abc\",\"seed\":7,\"temperature\":1.2,\"top_k\":9}\n"
      "{\"prompt\":\"abc\",\"seed\":7}\n"
      "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
      "{\"role\":\"user\",\"content\":\"abc\"}],\"max_tokens\":2}\n";
  writeFile(folder + "in", text);
  ASSERT_EQ(run({"generate", "--jsonl", folder + "in", "-n", "9", "--greedy"}),
            0)
      << errors;
  std::stringstream stream(output);
  std::string sampled, greedy, chat;
  std::getline(stream, sampled);
  std::getline(stream, greedy);
  std::getline(stream, chat);
  ASSERT_EQ(run({"generate", "-p", "abc", "-n", "9", "--temp", "1.2", "--top-k",
                 "9", "-s", "7", "--repeat-penalty", "1", "--json"}),
            0);
  EXPECT_EQ(Json::parse(sampled)["tokens"], Json::parse(output)["tokens"]);
  ASSERT_EQ(run({"generate", "-p", "abc", "-n", "9", "--greedy", "--json"}), 0);
  EXPECT_EQ(Json::parse(greedy)["tokens"], Json::parse(output)["tokens"]);
  EXPECT_GT(Json::parse(chat)["prompt_tokens"],
            Json::parse(greedy)["prompt_tokens"]);
  EXPECT_EQ(Json::parse(chat)["completion_tokens"], 2);
}

TEST_F(AppTest, BadLinesAreReportedAndPassedOver) {
  const char *bad[] = {
      "",
      "nonsense",
      "[1]",
      "{}",
      "{\"prompt\":1}",
      "{\"prompt\":\"a\",\"messages\":[]}",
      "{\"messages\":[]}",
      "{\"messages\":[{\"role\":\"user\"}]}",
      "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
      "{\"prompt\":\"a\",\"max_token\":3}",
      "{\"prompt\":\"a\",\"max_tokens\":-3}",
      "{\"prompt\":\"a\",\"temperature\":\"hot\"}",
      "{\"prompt\":\"a\",\"top_p\":2}",
      "{\"prompt\":\"a\",\"top_k\":1.5}",
      "{\"prompt\":\"a\",\"stop\":\"\"}",
      "{\"prompt\":\"a\",\"stop\":[1]}",
      "{\"prompt\":\"\xff\"}",
  };
  std::string lines;
  for (const char *line : bad)
    lines += std::string(line) + "\n{\"prompt\":\"ok\"}\n";
  lines += "{\"prompt\":\"" + std::string(5000, 'q') + "\"}\n";
  writeFile(folder + "in", lines);
  ASSERT_EQ(run({"generate", "--jsonl", folder + "in", "-n", "2", "-t", "1"}),
            1);
  std::stringstream stream(output);
  std::string line;
  int count = 0;
  for (; std::getline(stream, line); ++count) {
    Json object = Json::parse(line);
    EXPECT_EQ(object["index"], count);
    EXPECT_EQ(object.contains("error"), count % 2 == 0) << line;
    EXPECT_EQ(object.contains("text"), count % 2 == 1) << line;
    std::string named = "error: " + folder + "in:" + std::to_string(count + 1);
    EXPECT_EQ(errors.find(named + ": expected") != std::string::npos ||
                  errors.find(named + ": unknown field \"max_token\"") !=
                      std::string::npos,
              count % 2 == 0)
        << line;
  }
  EXPECT_EQ(count, static_cast<int>(std::size(bad)) * 2 + 1);
  EXPECT_EQ(run({"generate", "--jsonl", folder + "none"}), 1);
  EXPECT_EQ(run({"generate", "--jsonl", folder + "in", "-p", "x"}), 2);
}

TEST_F(AppTest, StopTextsEndAnAnswer) {
  std::vector<std::string> words = {"generate", "--raw", "-p",    "abc",
                                    "-n",       "30",    "-s",    "3",
                                    "--temp",   "1",     "--json"};
  ASSERT_EQ(run(words), 0) << errors;
  std::string text = Json::parse(output)["text"];
  // A letter or more of it, as JSON text.
  size_t at = text.find_first_of("abcdefghijklmnopqrstuvwxyz", 3);
  ASSERT_NE(at, std::string::npos);
  std::string stop = text.substr(at, 1);
  words.insert(words.end(), {"--stop", "not there", "--stop", stop});
  ASSERT_EQ(run(words), 0) << errors;
  EXPECT_EQ(Json::parse(output)["text"], text.substr(0, text.find(stop)));
  EXPECT_EQ(Json::parse(output)["finish_reason"], "stop");
  writeFile(folder + "in", Json{{"prompt", "abc"}, {"stop", stop}}.dump());
  std::vector<std::string> lines = {
      "generate", "--raw", "--jsonl", folder + "in", "-n",     "30",
      "-s",       "3",     "--temp",  "1",           "--stop", "a stop"};
  ASSERT_EQ(run(lines), 0) << errors;
  EXPECT_EQ(Json::parse(output)["text"], text.substr(0, text.find(stop)));
  EXPECT_EQ(run({"generate", "-p", "x", "--stop", ""}), 2);
}

TEST_F(AppTest, EvalComparesWithAReference) {
  std::vector<int32_t> ids;
  for (int i = 0; i < 40; ++i) ids.push_back((i * 53 + 7) % kTinyVocabulary);
  writeFile(folder + "ids.json", Json(ids).dump());
  std::vector<std::string> words = {"eval", "--tokens", folder + "ids.json"};
  words.insert(words.end(), {"--logits", folder + "own.npy"});
  ASSERT_EQ(run(words), 0) << errors;
  words = {"eval", "--tokens", folder + "ids.json", "--json", "--reference"};
  words.push_back(folder + "own.npy");
  ASSERT_EQ(run(words), 0) << errors;
  EXPECT_EQ(Json::parse(output)["kl_mean"], 0.0);
  EXPECT_EQ(Json::parse(output)["kl_p999"], 0.0);
  EXPECT_EQ(Json::parse(output)["top1"], 1.0);
  // Others: every third row of the scored half has another likeliest token.
  std::string bytes = read("own.npy");
  size_t start = bytes.size() - ids.size() * kTinyVocabulary * 4;
  std::vector<float> other(ids.size() * kTinyVocabulary);
  memcpy(other.data(), bytes.data() + start, other.size() * 4);
  std::vector<double> expected;
  double same = 0;
  for (size_t row = 20; row < 39; ++row) {
    std::span<float> theirs(other.data() + row * kTinyVocabulary,
                            kTinyVocabulary);
    std::vector<float> ours(theirs.begin(), theirs.end());
    auto top = std::max_element(theirs.begin(), theirs.end());
    if (row % 3 == 0) *top -= 20;
    theirs[5] += 0.5f;
    same += std::max_element(theirs.begin(), theirs.end()) - theirs.begin() ==
            std::max_element(ours.begin(), ours.end()) - ours.begin();
    double p = 0, q = 0, sum = 0;
    for (int v = 0; v < kTinyVocabulary; ++v) {
      p += std::exp(double{theirs[v]});
      q += std::exp(double{ours[v]});
    }
    for (int v = 0; v < kTinyVocabulary; ++v)
      sum += std::exp(double{theirs[v]}) / p *
             (theirs[v] - std::log(p) - ours[v] + std::log(q));
    expected.push_back(sum);
  }
  memcpy(bytes.data() + start, other.data(), other.size() * 4);
  writeFile(folder + "other.npy", bytes);
  words.back() = folder + "other.npy";
  ASSERT_EQ(run(words), 0) << errors;
  Json result = Json::parse(output);
  double mean = 0;
  for (double value : expected) mean += value / expected.size();
  std::sort(expected.begin(), expected.end());
  EXPECT_NEAR(result["kl_mean"], mean, 1e-9);
  EXPECT_NEAR(result["kl_p999"],
              expected[17] + 0.982 * (expected[18] - expected[17]), 1e-9);
  EXPECT_NEAR(result["top1"], same / 19, 1e-12);
  EXPECT_LT(same, 19);
  // Of another length, cut short, no such file, and a text's windows.
  writeFile(folder + "ids.json", "[1,2,3,4]");
  EXPECT_EQ(run(words), 1);
  EXPECT_NE(errors.find("expected 4 rows of 300 logits, found 40 rows of 300"),
            std::string::npos);
  writeFile(folder + "ids.json", Json(ids).dump());
  writeFile(folder + "other.npy", bytes.substr(0, bytes.size() - 4));
  EXPECT_EQ(run(words), 1);
  EXPECT_NE(errors.find("expected more logits"), std::string::npos);
  words.back() = folder + "ids.json";
  EXPECT_EQ(run(words), 1);
  EXPECT_NE(errors.find("expected a .npy file or an executable"),
            std::string::npos);
  words[1] = "--text";
  words.back() = folder + "own.npy";
  EXPECT_EQ(run(words), 1);
  EXPECT_NE(errors.find("expected --tokens with a .npy file"),
            std::string::npos);
}

}  // namespace
}  // namespace gemma
