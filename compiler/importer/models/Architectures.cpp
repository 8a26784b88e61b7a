// SPDX-License-Identifier: Apache-2.0
// The tables; see the header.
#include "compiler/importer/models/Architectures.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace gemmac::importer {
namespace {

ModelConfig sizes(const char *architecture, int64_t vocabulary, int64_t width,
                  int64_t ffn, int64_t layers, int64_t heads, int64_t kvHeads,
                  int64_t context) {
  ModelConfig config;
  config.architecture = architecture;
  config.vocabulary = vocabulary;
  config.width = width;
  config.ffn = ffn;
  config.layers = layers;
  config.heads = heads;
  config.kvHeads = kvHeads;
  config.headDim = 256;
  config.context = context;
  config.ropeTheta = config.ropeLocalTheta = 1e4;
  return config;
}

std::vector<Architecture> makeArchitectures() {
  ModelConfig gemma1 =
      sizes("gemma", 256000, 3072, 24576, 28, 16, 16, /*context=*/8192);
  ModelConfig gemma2 =
      sizes("gemma2", 256000, 2304, 9216, 26, 8, 4, /*context=*/8192);
  gemma2.window = 4096;
  gemma2.attentionSoftcap = 50;
  gemma2.finalSoftcap = 30;
  ModelConfig gemma3 =
      sizes("gemma3", 262208, 2304, 9216, 26, 8, 4, /*context=*/131072);
  gemma3.window = 4096;
  gemma3.ropeTheta = 1e6;
  return {
      {"gemma", {"gemma"}, {"GemmaForCausalLM"}, gemma1, 0, false},
      {"gemma2", {"gemma2"}, {"Gemma2ForCausalLM"}, gemma2, 2, false},
      {"gemma3",
       {"gemma3", "gemma3_text"},
       {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
       gemma3,
       6,
       true},
  };
}

const std::vector<Architecture> &architectures() {
  static const std::vector<Architecture> all = makeArchitectures();
  return all;
}

struct Relative {
  const char *name, *is;
};
constexpr Relative kRelatives[] = {
    {"recurrent_gemma", "RecurrentGemma: Griffin is not a transformer"},
    {"recurrentgemma", "RecurrentGemma: Griffin is not a transformer"},
    {"Gemma3TextModel", "EmbeddingGemma: an encoder that writes no text"},
    {"gemma-embedding", "EmbeddingGemma: an encoder that writes no text"},
    {"embedding_gemma2", "EmbeddingGemma 2: an encoder that writes no text"},
    {"EmbeddingGemma2Model", "EmbeddingGemma 2: an encoder that writes none"},
    {"vaultgemma", "VaultGemma"},
    {"gemma3n", "Gemma 3n"},
    {"gemma3n_text", "Gemma 3n"},
    {"gemma4", "Gemma 4"},
    {"gemma4_text", "Gemma 4"},
    {"gemma4_unified", "Gemma 4 unified"},
    {"gemma4_assistant", "a drafter for Gemma 4"},
    {"gemma4-assistant", "a drafter for Gemma 4"},
    {"diffusion_gemma", "DiffusionGemma"},
    {"paligemma", "PaliGemma"},
    {"shieldgemma2", "ShieldGemma 2: a classifier of images"},
    {"t5gemma", "T5Gemma: an encoder and a decoder"},
    {"t5gemma2", "T5Gemma 2: an encoder and a decoder"},
    {"clip", "an mmproj file: the vision part of another model"},
};

}  // namespace

const Architecture *lookupArchitecture(StringRef name) {
  for (const Architecture &one : architectures())
    if (name == one.name) return &one;
  return nullptr;
}

const Architecture *lookupModelType(StringRef modelType) {
  for (const Architecture &one : architectures())
    if (is_contained(one.modelTypes, modelType)) return &one;
  return nullptr;
}

std::string describeUnsupported(StringRef name) {
  for (const Relative &relative : kRelatives)
    if (name == relative.name) return std::string(" (") + relative.is + ")";
  return "";
}

std::string quotedList(const std::vector<std::string> &names) {
  std::string text;
  for (auto [i, name] : enumerate(names))
    text += (i == 0                  ? "'"
             : i + 1 == names.size() ? " or '"
                                     : ", '") +
            name + "'";
  return text;
}

std::string knownArchitectures() {
  std::vector<std::string> names;
  for (const Architecture &one : architectures()) names.push_back(one.name);
  return quotedList(names);
}

std::string knownModelTypes() {
  std::vector<std::string> names;
  for (const Architecture &one : architectures())
    names.insert(names.end(), one.modelTypes.begin(), one.modelTypes.end());
  return quotedList(names);
}

}  // namespace gemmac::importer
