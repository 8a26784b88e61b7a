// SPDX-License-Identifier: Apache-2.0
// Every field's type and range, and which failure is told.
#include "runtime/model/Metadata.h"

#include <gtest/gtest.h>

namespace gemma {
namespace {

TEST(Metadata, ChecksTypesAndRanges) {
  for (const char *bad :
       {"", "[]", "{", "{\"bos\":64}", "{\"bos\":\"x\"}", "{\"eos\":[-1]}",
        "{\"generation\":[]}", "{\"generation\":{\"top_k\":1.5}}",
        "{\"name\":3}", "{\"weight_bytes_by_format\":{\"f32\":-1}}",
        "{\"tensors_by_format\":[]}", "{\"phases\":[]}",
        "{\"phases\":{\"head\":3}}", "{\"phases\":{\"head\":{\"kinds\":[]}}}",
        "{\"phases\":{\"head\":{\"kinds\":[],\"order\":[0]}}}",
        "{\"phases\":{\"head\":{\"kinds\":[{\"weight_bytes\":"
        "-1,\"operations\":0}],\"order\":[]}}}"}) {
    Status status = Metadata::parse(bad, 64).status();
    EXPECT_EQ(status.code(), Code::InvalidInput) << bad;
    EXPECT_EQ(status.message().rfind("metadata: ", 0), 0u) << bad;
  }
}

TEST(Metadata, TellsTheFirstFailure) {
  auto read = [](const char *text) {
    return Metadata::parse(text, 64).status().message();
  };
  EXPECT_EQ(read("{\"generation\":{\"top_p\":\"\\u001b[2J\",\"top_k\":{}},"
                 "\"name\":3}"),
            "metadata: expected a string for \"name\", found 3");
  EXPECT_EQ(read("{\"generation\":{\"top_p\":\"\\u001b[2J\",\"min_p\":{}}}"),
            "metadata: expected a finite number for \"top_p\", found "
            "\"\\u001b[2J\"");
  EXPECT_EQ(read("{\"eos\":[1,64]}"),
            "metadata: expected ids below the vocabulary's size for \"eos\", "
            "found 64");
  EXPECT_EQ(read("nonsense"),
            "metadata: expected a JSON object, found no JSON");
}

TEST(Metadata, ReadsWhatIsThere) {
  auto read = [](const char *text) {
    Result<Metadata> metadata = Metadata::parse(text, 64);
    EXPECT_EQ(metadata.status().message(), "");
    return *metadata;
  };
  Metadata metadata = read(
      "{\"eos\":5,\"bos\":-1,\"generation\":"
      "{\"top_k\":64,\"temperature\":1}}");
  EXPECT_EQ(metadata.eos, std::vector<int32_t>{5});
  EXPECT_EQ(metadata.bos, -1);
  EXPECT_EQ(metadata.generation.topK, 64);
  EXPECT_FALSE(metadata.generation.topP.has_value());
  EXPECT_EQ(metadata.name, "model");
  // The largest first; a count that is missing is 0.
  metadata = read(
      "{\"weight_bytes_by_format\":{\"f32\":5,\"q8_0\":70,\"q4_0\":6},"
      "\"tensors_by_format\":{\"f32\":3,\"q8_0\":1}}");
  ASSERT_EQ(metadata.formats.size(), 3u);
  EXPECT_EQ(metadata.formats[0].name, "q8_0");
  EXPECT_EQ(metadata.formats[0].tensors, 1);
  EXPECT_EQ(metadata.formats[1].bytes, 6);
  EXPECT_EQ(metadata.formats[1].tensors, 0);
  EXPECT_EQ(metadata.formats[2].tensors, 3);
  metadata = read(
      "{\"phases\":{\"head\":{\"kinds\":[{\"name\":"
      "\"norm\",\"weight_bytes\":4,\"operations\":0},"
      "{\"name\":\"head\",\"weight_bytes\":64,"
      "\"operations\":128}],\"order\":[0,1]}}}");
  const EntryPhases &head =
      metadata.phases[static_cast<size_t>(EntryPoint::Head)];
  ASSERT_EQ(head.kinds.size(), 2u);
  EXPECT_EQ(head.kinds[1].operations, 128);
  EXPECT_EQ(head.order, (std::vector<size_t>{0, 1}));
}

}  // namespace
}  // namespace gemma
