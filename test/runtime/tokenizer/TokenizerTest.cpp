// SPDX-License-Identifier: Apache-2.0
// The run-time's tokenizer over a tiny section: ids, texts, forged control
// tokens, streaming, and sections that are damaged.
#include "runtime/tokenizer/Tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "compiler/importer/tokenizer/TokenizerBlob.h"
#include "test/support/tokenizer/TinyVocabulary.h"

namespace gemma {
namespace {

using gemmac::test::kByte0;
using gemmac::test::kFirstMerge;
using gemmac::test::kImage;
using gemmac::test::kNewline;
using gemmac::test::kTurn;
using Ids = std::vector<int32_t>;

// Ids of the tiny vocabulary's pieces, in its order.
enum : int32_t {
  He = kFirstMerge,
  Ll,
  Hell,
  Hello,
  SpaceHello,
  Space,
  H,
  E,
  L,
  O,
  W,
  EAcute,
  Zhong,
  Less
};

class TokenizerTest : public testing::Test {
 protected:
  TokenizerTest() {
    auto model = gemmac::test::tinyModel();
    gemmac::importer::demoteStructuralPieces(model);
    section = *gemmac::importer::writeTokenizerBlob(model);
    EXPECT_TRUE(tokenizer.load(section.data(), section.size()));
  }

  Ids encode(std::string_view text) {
    Ids ids;
    EXPECT_TRUE(tokenizer.encode(text, ids));
    return ids;
  }

  std::string decode(const Ids &ids) {
    std::string text;
    EXPECT_TRUE(tokenizer.decode(ids, text));
    return text;
  }

  std::string section;
  Tokenizer tokenizer;
};

TEST_F(TokenizerTest, MergesBestPairFirst) {
  EXPECT_EQ(encode("hello hello"), (Ids{Hello, SpaceHello}));
  EXPECT_EQ(encode("hellhe"), (Ids{Hell, He}));
  EXPECT_EQ(encode("lll"), (Ids{Ll, L}));
  EXPECT_EQ(encode("  h"), (Ids{Space, Space, H}));
  EXPECT_EQ(encode(""), Ids{});
}

TEST_F(TokenizerTest, UserDefinedPiecesAreLongestFirst) {
  EXPECT_EQ(encode("\n\n\nh"), (Ids{kNewline + 1, kNewline, H}));
}

TEST_F(TokenizerTest, EncodeAppends) {
  Ids ids{kTurn};
  EXPECT_TRUE(tokenizer.encode("he", ids));
  EXPECT_EQ(ids, (Ids{kTurn, He}));
}

TEST_F(TokenizerTest, BytesCoverTheRest) {
  EXPECT_EQ(encode("x"), Ids{kByte0 + 'x'});
  EXPECT_EQ(encode(std::string_view("\0", 1)), Ids{kByte0});
  EXPECT_EQ(encode("\u00E9\u00E8"),
            (Ids{EAcute, kByte0 + 0xC3, kByte0 + 0xA8}));
}

TEST_F(TokenizerTest, RoundTripsValidText) {
  for (std::string text :
       {std::string("hello\n\n\nworld  \u4E2D\u00E9 \U0001F93D x"),
        std::string("a\0b", 3), std::string(" lead, trail "), std::string()})
    EXPECT_EQ(decode(encode(text)), text);
}

TEST_F(TokenizerTest, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(decode(encode("h\xFFo")), "h\uFFFDo");
  EXPECT_EQ(decode(encode("\xE4\xB8")), "\uFFFD\uFFFD");
}

TEST_F(TokenizerTest, TextCannotForgeControlPieces) {
  for (const char *forged :
       {"<start_of_turn>", "<start_of_image>", "<bos>", "<eos>", "<pad>",
        "<unk>", "<0x41>", "<start_of_turn><start_of_turn>"}) {
    Ids ids = encode(std::string("h") + forged);
    for (int32_t id : ids) {
      EXPECT_FALSE(tokenizer.isControl(id)) << forged;
      EXPECT_NE(id, tokenizer.unkId()) << forged;
    }
    EXPECT_NE(ids.back(), kByte0 + 'A') << forged;
    EXPECT_EQ(decode(ids), std::string("h") + forged);
  }
}

TEST_F(TokenizerTest, TrustedTextSpellsControlPieces) {
  Ids ids{1};
  ASSERT_TRUE(tokenizer.encodeTrusted(
      "<bos><start_of_turn>h\n<start_of_image>hello<start", ids));
  Ids head(ids.begin(), ids.begin() + 7);
  EXPECT_EQ(head, (Ids{1, 2, kTurn, H, kNewline, kImage, Hello}));
  EXPECT_EQ(ids[7], Less);
}

TEST_F(TokenizerTest, ControlPiecesHaveNoText) {
  EXPECT_EQ(decode({2, kTurn, Hello, 1}), "hello");
}

TEST_F(TokenizerTest, FailuresLeaveOutputsAlone) {
  std::string text = "kept";
  auto count = static_cast<int32_t>(tokenizer.pieceCount());
  for (int32_t bad : {-1, count, INT32_MAX, INT32_MIN}) {
    EXPECT_FALSE(tokenizer.decode(Ids{Hello, bad}, text));
    StreamDecoder decoder(tokenizer);
    EXPECT_FALSE(decoder.append(bad, text));
    EXPECT_EQ(tokenizer.pieceText(bad), "");
    EXPECT_FALSE(tokenizer.isControl(bad));
    EXPECT_EQ(tokenizer.byteValue(bad), -1);
  }
  EXPECT_EQ(text, "kept");
}

TEST_F(TokenizerTest, LooksPiecesUp) {
  EXPECT_EQ(tokenizer.pieceId("<start_of_turn>"), kTurn);
  EXPECT_EQ(tokenizer.pieceId("<unk>"), 3);
  EXPECT_EQ(tokenizer.pieceId("<end_of_turn>"), -1);
  EXPECT_EQ(tokenizer.pieceId(""), -1);
  EXPECT_EQ(tokenizer.pieceText(Hello), "hello");
  EXPECT_EQ(tokenizer.byteValue(kByte0 + 255), 255);
  EXPECT_EQ(tokenizer.byteValue(Hello), -1);
  EXPECT_EQ(tokenizer.bosId(), 2);
  EXPECT_EQ(tokenizer.eosId(), 1);
  EXPECT_EQ(tokenizer.padId(), 0);
  EXPECT_EQ(tokenizer.pieceCount(), gemmac::test::tinyModel().pieces.size());
}

TEST_F(TokenizerTest, StreamHoldsBackUnfinishedCharacters) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (int byte : {0xF0, 0x9F, 0xA4}) {
    ASSERT_TRUE(decoder.append(kByte0 + byte, text));
    EXPECT_EQ(text, "");
  }
  ASSERT_TRUE(decoder.append(kByte0 + 0xBD, text));
  EXPECT_EQ(text, "\U0001F93D");
  text.clear();
  // A piece after a lead byte: the byte was no character.
  ASSERT_TRUE(decoder.append(kByte0 + 0xE4, text));
  ASSERT_TRUE(decoder.append(Hello, text));
  EXPECT_EQ(text, "\uFFFDhello");
  text.clear();
  ASSERT_TRUE(decoder.append(kByte0 + 0xC3, text));
  EXPECT_EQ(text, "");
  ASSERT_TRUE(decoder.finish(text));
  EXPECT_EQ(text, "\uFFFD");
  text.clear();
  ASSERT_TRUE(decoder.append(kByte0 + 0xC3, text));
  decoder.reset();
  ASSERT_TRUE(decoder.finish(text));
  EXPECT_EQ(text, "");
}

// Valid UTF-8 is what encoding and decoding keeps as it is.
TEST_F(TokenizerTest, StreamEqualsWholeDecodingAndIsValidAtEveryStep) {
  std::mt19937 random(1);
  const int32_t leads[] = {0xC2, 0xE0, 0xE4, 0xED, 0xF0, 0xF4,
                           0xFF, 0x80, 0x9F, 0xA0, 0xBD, 0x41};
  for (int round = 0; round < 20000; ++round) {
    Ids ids;
    for (unsigned i = random() % 12; i > 0; --i)
      ids.push_back(random() % 4 ? kByte0 + leads[random() % 12]
                                 : static_cast<int32_t>(
                                       random() % tokenizer.pieceCount()));
    StreamDecoder decoder(tokenizer);
    std::string streamed;
    for (size_t i = 0; i <= ids.size(); ++i) {
      std::string part;
      ASSERT_TRUE(i < ids.size() ? decoder.append(ids[i], part)
                                 : decoder.finish(part));
      Ids partIds = encode(part);
      ASSERT_EQ(decode(partIds), part) << "not valid UTF-8";
      streamed += part;
    }
    ASSERT_EQ(streamed, decode(ids));
  }
}

TEST_F(TokenizerTest, RefusesDamagedSections) {
  Tokenizer other;
  EXPECT_FALSE(other.load(nullptr, 0));
  EXPECT_FALSE(other.load(section.data(), 0));
  std::string shifted = "1234" + section;
  EXPECT_FALSE(other.load(shifted.data() + 4, section.size()));
  for (size_t size = 1; size < section.size(); size += 41)
    EXPECT_FALSE(other.load(section.data(), size)) << size;
  EXPECT_FALSE(other.isLoaded());
  Ids ids;
  std::string text;
  EXPECT_FALSE(other.encode("h", ids));
  EXPECT_FALSE(other.encodeTrusted("h", ids));
  EXPECT_FALSE(other.decode(Ids{}, text));
  EXPECT_EQ(other.pieceId("h"), -1);
  EXPECT_EQ(other.pieceCount(), 0u);
}

// Whatever a changed byte makes of the section: refused, or used in bounds
// (for AddressSanitizer to see).
TEST_F(TokenizerTest, ChangedBytesStayInBounds) {
  std::mt19937 random(2);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = section;
    bad[random() % bad.size()] = static_cast<char>(random());
    Tokenizer other;
    if (!other.load(bad.data(), bad.size())) continue;
    Ids ids;
    std::string text;
    other.encodeTrusted("<bos>hello\n\n \xF0\x9F\xA4\xBD<0x41>", ids);
    other.decode(ids, text);
  }
  EXPECT_TRUE(tokenizer.isLoaded());
}

}  // namespace
}  // namespace gemma
