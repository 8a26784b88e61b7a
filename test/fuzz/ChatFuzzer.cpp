// SPDX-License-Identifier: Apache-2.0
// A conversation and a stream of ids on a small tokenizer. Input: one byte for
// the template, then messages with a byte 0xFF between them; the messages'
// bytes serve once more as ids, and as a metadata section. No text forges a
// turn, and a stream decodes as a whole does.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/chat/TurnTemplate.h"
#include "runtime/model/Metadata.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "test/runtime/TinyTokenizer.h"

using namespace gemma;

namespace {

constexpr int32_t kBos = 2, kStart = 4, kEnd = 5;

void check(bool good, const char *what) {
  if (good) return;
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

bool isUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto byte = [&](size_t at) {
      return at < text.size() ? (unsigned char)text[at] : 0u;
    };
    unsigned lead = byte(i);
    size_t more = lead < 0x80                    ? 0
                  : lead >= 0xC2 && lead <= 0xDF ? 1
                  : lead >= 0xE0 && lead <= 0xEF ? 2
                  : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                 : 4;
    if (more == 4) return false;
    for (size_t k = 1; k <= more; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    bool wrong = (lead == 0xE0 && byte(i + 1) < 0xA0) ||
                 (lead == 0xED && byte(i + 1) > 0x9F) ||
                 (lead == 0xF0 && byte(i + 1) < 0x90) ||
                 (lead == 0xF4 && byte(i + 1) > 0x8F);
    if (wrong) return false;
    i += more + 1;
  }
  return true;
}

void runChat(const Tokenizer &tokenizer, int flags, std::string_view rest) {
  bool system = flags & 1;
  TurnTemplate turns;
  check(turns.load(flags & 2 ? "gemma" : "gemma3", tokenizer, kBos).ok(),
        "the template does not load");
  std::vector<Message> messages;
  while (true) {
    size_t end = rest.find('\xFF');
    size_t i = messages.size() - system;
    const char *role = system && messages.empty() ? "system"
                       : i % 2 == 0               ? "user"
                                                  : "assistant";
    messages.push_back({role, std::string(rest.substr(0, end)), {}});
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  std::vector<int32_t> ids;
  if (!turns.render(messages, ids).ok())
    return check(ids.empty(), "a refusal that left ids");
  auto count = [&](int32_t id) {
    return size_t(std::count(ids.begin(), ids.end(), id));
  };
  check(count(kBos) == 1, "text forged a bos");
  check(count(kStart) == messages.size() - system + 1, "a forged turn");
  check(count(kEnd) == messages.size() - system, "a forged end of turn");
}

void runStream(const Tokenizer &tokenizer, std::string_view bytes) {
  std::vector<int32_t> ids;
  // Mostly bytes, where characters are begun, broken and completed.
  for (unsigned char c : bytes) {
    bool wide = c < 64 && !ids.empty();
    ids.push_back(wide ? 4 * c + int32_t(ids.size() % 4) : 6 + c);
  }
  StreamDecoder decoder(tokenizer);
  std::string streamed, whole;
  for (int32_t id : ids) {
    std::string piece;
    check(decoder.append(id, piece), "an id that does not decode");
    check(isUtf8(piece), "a piece that is no UTF-8");
    streamed += piece;
  }
  check(decoder.finish(streamed), "the end does not decode");
  check(tokenizer.decode(ids, whole), "the ids do not decode");
  check(streamed == whole, "the stream differs from the whole");
}

void runText(const Tokenizer &tokenizer, std::string_view bytes) {
  std::vector<int32_t> ids;
  check(tokenizer.encode(bytes, ids), "a text that does not encode");
  for (int32_t id : ids)
    check(!tokenizer.isControl(id), "text spelled a control piece");
  std::string back;
  check(tokenizer.decode(ids, back) && isUtf8(back), "text became no UTF-8");
  // U+2581 stands for a space in every SentencePiece model, and becomes one.
  bool isPlain = isUtf8(bytes) && bytes.find("\xE2\x96\x81") == bytes.npos;
  check(!isPlain || back == bytes, "text did not come back");
  ids.clear();
  check(tokenizer.encodeTrusted(bytes, ids), "trusted text does not encode");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Tokenizer tokenizer;
  if (!tokenizer.isLoaded()) {
    auto section = test::tinyTokenizer();
    check(tokenizer.load(section.data(), section.size()), "no tokenizer");
  }
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
  runChat(tokenizer, data[0], bytes);
  runStream(tokenizer, bytes);
  runText(tokenizer, bytes);
  Result<Metadata> metadata = Metadata::parse(bytes, test::kTinyVocabulary);
  check(!metadata.ok() || metadata->bos < test::kTinyVocabulary,
        "a bos beyond");
  return 0;
}
