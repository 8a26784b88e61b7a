// SPDX-License-Identifier: Apache-2.0
// The compiler's side of the tokenizer: readers, checks, chat safety and the
// section they make. Every hostile case names what must stand in the message.
#include "compiler/importer/tokenizer/TokenizerBlob.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "compiler/importer/tokenizer/GgufVocabulary.h"
#include "compiler/importer/tokenizer/MergeRanks.h"
#include "compiler/importer/tokenizer/SentencePieceModel.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "test/support/tokenizer/TinyVocabulary.h"

namespace gemmac::importer {
namespace {

using test::tinyFile;
using test::tinyModel;

void expectSame(const TokenizerModel &a, const TokenizerModel &b) {
  ASSERT_EQ(a.pieces.size(), b.pieces.size());
  for (size_t id = 0; id < a.pieces.size(); ++id) {
    EXPECT_EQ(a.pieces[id].text, b.pieces[id].text) << id;
    EXPECT_EQ(a.pieces[id].score, b.pieces[id].score) << id;
    EXPECT_EQ(a.pieces[id].type, b.pieces[id].type) << id;
  }
  EXPECT_EQ(a.unkId, b.unkId);
  EXPECT_EQ(a.bosId, b.bosId);
  EXPECT_EQ(a.eosId, b.eosId);
  EXPECT_EQ(a.padId, b.padId);
  EXPECT_EQ(a.addBos, b.addBos);
}

// There must be no value, and a message that holds `part`.
template <typename T>
void expectFailure(const Result<T> &result, const std::string &part) {
  ASSERT_FALSE(result) << part;
  EXPECT_NE(result.message().find(part), std::string::npos) << result.message();
}

void expectRefused(const TokenizerModel &model, const std::string &part) {
  expectFailure(writeTokenizerBlob(model), part);
}

void expectFileRefused(const std::string &file, const std::string &part) {
  expectFailure(readSentencePieceModel(file), part);
}

GgufVocabulary tinyGguf() {
  GgufVocabulary vocabulary;
  for (const TokenizerPiece &piece : tinyModel().pieces) {
    vocabulary.tokens.push_back(piece.text);
    vocabulary.scores.push_back(piece.type == PieceType::Normal ? piece.score
                                                                : -1000);
    vocabulary.types.push_back(static_cast<int32_t>(
        piece.type == PieceType::Unknown ? PieceType::Control : piece.type));
  }
  return vocabulary;
}

void expectGgufRefused(const GgufVocabulary &vocabulary,
                       const std::string &part) {
  expectFailure(readGgufVocabulary(vocabulary), part);
}

TEST(SentencePieceModel, ReadsWhatWasWritten) {
  auto model = readSentencePieceModel(tinyFile(tinyModel()));
  ASSERT_TRUE(model) << model.message();
  expectSame(*model, tinyModel());
}

TEST(SentencePieceModel, EveryTruncationIsAnErrorOrAnIncompleteModel) {
  std::string file = tinyFile(tinyModel());
  int read = 0;
  for (size_t size = 0; size < file.size(); ++size)
    read +=
        bool(readSentencePieceModel(std::string_view(file).substr(0, size)));
  // Only a cut right before the unknown last field leaves a whole model.
  EXPECT_EQ(read, 1);
}

TEST(SentencePieceModel, AnyChangedByteIsSafe) {
  std::string file = tinyFile(tinyModel());
  for (size_t at = 0; at < file.size(); ++at) {
    for (int flip : {0x01, 0x80, 0xFF}) {
      std::string bad = file;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      auto model = readSentencePieceModel(bad);
      EXPECT_TRUE(model || !model.message().empty());
    }
  }
}

TEST(SentencePieceModel, RefusesBrokenWireFormat) {
  expectFileRefused("\x0A\xFF\xFF\xFF\xFF\x0F", "expected 4294967295 bytes");
  expectFileRefused(std::string("\x0A") + std::string(10, '\xFF'), "varint");
  expectFileRefused("\x0B", "wire type");
  expectFileRefused(std::string("\x02\x00", 2), "field number");
  expectFileRefused("\x08\x01", "field 1: expected wire type 2, found 0");
  expectFileRefused("", "model_type");
}

TEST(SentencePieceModel, RefusesOtherKindsOfModel) {
  TokenizerModel model = tinyModel();
  expectFileRefused(tinyFile(model, {.modelType = 1}), "model_type 1");
  expectFileRefused(tinyFile(model, {.addDummyPrefix = true}),
                    "add_dummy_prefix");
  expectFileRefused(tinyFile(model, {.byteFallback = false}), "byte_fallback");
  expectFileRefused(tinyFile(model, {.charsmap = "x"}), "charsmap");
  model.pieces[20].type = static_cast<PieceType>(7);
  expectFileRefused(tinyFile(model), "piece 20: expected a type");
}

TEST(GgufVocabulary, UndoesTheConverters) {
  GgufVocabulary vocabulary = tinyGguf();
  vocabulary.tokens.push_back("   ");
  vocabulary.scores.push_back(-1000);
  vocabulary.types.push_back(4);
  auto model = readGgufVocabulary(vocabulary);
  ASSERT_TRUE(model) << model.message();
  EXPECT_EQ(model->pieces.back().text, "\u2581\u2581\u2581");
  model->pieces.pop_back();
  expectSame(*model, tinyModel());
}

TEST(GgufVocabulary, RefusesArraysThatDisagree) {
  GgufVocabulary vocabulary = tinyGguf();
  vocabulary.scores.pop_back();
  expectGgufRefused(vocabulary, "scores");
  vocabulary = tinyGguf();
  vocabulary.types.push_back(1);
  expectGgufRefused(vocabulary, "token_type");
  vocabulary = tinyGguf();
  vocabulary.types[9] = -1;
  expectGgufRefused(vocabulary, "entry 9");
  vocabulary = tinyGguf();
  vocabulary.bosId = 1 << 20;
  expectGgufRefused(vocabulary, "bos_token_id");
  vocabulary = tinyGguf();
  vocabulary.model = "gpt2";
  expectGgufRefused(vocabulary, "gpt2");
  vocabulary = tinyGguf();
  vocabulary.addSpacePrefix = true;
  expectGgufRefused(vocabulary, "add_space_prefix");
  expectGgufRefused({}, "tokens");
}

TEST(GgufVocabulary, MergesGiveTheScores) {
  GgufVocabulary vocabulary = tinyGguf();
  vocabulary.model = "gemma4";
  vocabulary.scores.clear();
  vocabulary.merges = {"h e",    "l l",   "he ll",
                       "hell o", "h ell", "\u2581 hello"};
  // "ell" is no piece.
  expectGgufRefused(vocabulary, "merge 4");
  vocabulary.merges.erase(vocabulary.merges.begin() + 4);
  auto model = readGgufVocabulary(vocabulary);
  ASSERT_TRUE(model) << model.message();
  for (int rank = 0; rank < 5; ++rank)
    EXPECT_EQ(model->pieces[test::kFirstMerge + rank].score, -rank);
  EXPECT_EQ(model->pieces.back().score, -5);
  vocabulary.merges[0] = "h e l";
  expectGgufRefused(vocabulary, "entry 0");
}

TEST(TokenizerBlob, IsReproducibleAndLoads) {
  auto first = writeTokenizerBlob(tinyModel());
  auto second = writeTokenizerBlob(tinyModel());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  gemma::Tokenizer tokenizer;
  EXPECT_TRUE(tokenizer.load(first->data(), first->size()));
}

TEST(TokenizerBlob, RefusesWhatTheTriesCannotHold) {
  auto changed = [](std::string text) {
    TokenizerModel model = tinyModel();
    model.pieces.back().text = std::move(text);
    return model;
  };
  expectRefused(changed("he"), "found that of piece 264");
  expectRefused(changed(""), "expected a text");
  expectRefused(changed(std::string("a\0b", 3)), "NUL");
  expectRefused(changed(std::string(kMaxPieceBytes + 1, 'x')), "4097");
  expectRefused(changed("\xC3"), "UTF-8");
  expectRefused(changed("\xED\xA0\x80"), "UTF-8");
  expectRefused(changed("\xC0\x80"), "UTF-8");
  expectRefused({}, "found 0");
  EXPECT_TRUE(writeTokenizerBlob(changed(std::string(kMaxPieceBytes, 'x'))));
}

TEST(TokenizerBlob, RefusesIncompleteByteFallback) {
  TokenizerModel model = tinyModel();
  model.pieces[test::kByte0].text = "zero";
  expectRefused(model, "no <0x00>");
  model = tinyModel();
  model.pieces[test::kByte0 + 200].text = "x";
  expectRefused(model, "<0xC8>");
  model = tinyModel();
  std::swap(model.pieces[test::kByte0 + 1], model.pieces[test::kByte0 + 2]);
  expectRefused(model, "<0x01>");
  model = tinyModel();
  model.pieces[test::kByte0 + 7].type = PieceType::Normal;
  expectRefused(model, "256 pieces of type BYTE, found 255");
}

TEST(TokenizerBlob, RefusesBadScoresAndIds) {
  for (float score :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -3e9f, 0.5f}) {
    TokenizerModel model = tinyModel();
    model.pieces.back().score = score;
    expectRefused(model, "integer");
  }
  TokenizerModel model = tinyModel();
  model.eosId = 100000;
  expectRefused(model, "eos");
  model = tinyModel();
  model.unkId = 0;
  expectRefused(model, "UNKNOWN");
  model = tinyModel();
  model.pieces[0].type = PieceType::Unknown;
  expectRefused(model, "found 2");
  model = tinyModel();
  model.bosId = -1;
  expectRefused(model, "bos");
  model.addBos = false;
  EXPECT_TRUE(writeTokenizerBlob(model));
}

TEST(StructuralPieces, AreTheFamiliesAndNotCodeOrHtml) {
  for (const char *text :
       {"<start_of_turn>", "<end_of_turn>", "<start_of_image>",
        "<image_soft_token>", "<start_function_call>", "<escape>", "<|turn>",
        "<turn|>", "<|\"|>", "<|tool_call>", "<|image|>", "<|fim_prefix|>",
        "<unused7>", "[multimodal]", "<bos>", "<mask>"})
    EXPECT_TRUE(isStructuralPiece(text)) << text;
  for (const char *text : {"<table>", "</code>", "<img>", "<|>", "<||>", "|>",
                           "<|", "<>", "<", "", "<0x41>", "<start", "\n"})
    EXPECT_FALSE(isStructuralPiece(text)) << text;
}

TEST(StructuralPieces, AreDemoted) {
  TokenizerModel model = tinyModel();
  model.pieces[test::kTurn].type = PieceType::Normal;
  model.pieces[0].text = "odd";
  model.pieces[0].type = PieceType::UserDefined;  // pad, by its id
  EXPECT_EQ(demoteStructuralPieces(model), 3u);
  EXPECT_EQ(model.pieces[test::kTurn].type, PieceType::Control);
  EXPECT_EQ(model.pieces[test::kImage].type, PieceType::Control);
  EXPECT_EQ(model.pieces[0].type, PieceType::Control);
  EXPECT_EQ(model.pieces[test::kNewline].type, PieceType::UserDefined);
  EXPECT_EQ(model.pieces[3].type, PieceType::Unknown);
  EXPECT_EQ(demoteStructuralPieces(model), 0u);
}

TEST(QuotePiece, HidesWhatATerminalWouldObey) {
  EXPECT_EQ(quotePiece("a\x1B[2J\"\n"), "\"a\\x1B[2J\\x22\\x0A\"");
  EXPECT_EQ(quotePiece(std::string(41, 'x')),
            "\"" + std::string(40, 'x') + "\"...");
}

}  // namespace
}  // namespace gemmac::importer
