// SPDX-License-Identifier: Apache-2.0
// What a checkpoint reader yields, the same for every file kind: the files, a
// list of tensors that names bytes in them, the model's sizes and settings, and
// the tokenizer. Every number in it was checked against the files; no weight
// was read. It knows no MLIR. Dimension letters: V vocabulary, D width, L
// layers, H query heads, K kv heads, E head width, F ffn width.
#ifndef GEMMAC_COMPILER_IMPORTER_CHECKPOINT_H
#define GEMMAC_COMPILER_IMPORTER_CHECKPOINT_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/importer/tokenizer/TokenizerModel.h"
#include "llvm/ADT/StringRef.h"

namespace gemmac::importer {

struct CheckpointTensor {
  std::string name;            // as the file writes it
  std::string path;            // the same in Hugging Face's words, prefix off:
                               // "layers.3.self_attn.q_proj.weight"
  std::vector<int64_t> shape;  // row-major, outermost first
  std::string format;          // lower case: "q5_0", "bf16", "iq4_xs"
  int64_t file = 0;            // index into Checkpoint::files
  int64_t offset = 0;          // of the first byte, from the file's start
  int64_t bytes = 0;
};

// The checkpoint's own sampling settings, as far as it states them.
struct GenerationDefaults {
  std::optional<bool> doSample;
  std::optional<double> temperature, topP, minP, repetitionPenalty;
  std::optional<int64_t> topK;
};

// Gemma: that of Gemma 1 and 2, which take no system message. The runtime
// speaks Gemma and Gemma3, and refuses the rest by name.
enum class ChatTemplate {
  None,
  Gemma,
  Gemma3,
  FunctionGemma,
  ShieldGemma,
  Unknown
};

// Gemma 1 gains and embeddings differ between file kinds: gainOffset is 1 where
// a norm multiplies by 1 + gain (Hugging Face), 0 where the file has the sum.
struct ModelConfig {
  std::string name;          // for people
  std::string architecture;  // "gemma3"; of a refused one, the file's word
  int64_t vocabulary = 0, width = 0, layers = 0, heads = 0, kvHeads = 0;
  int64_t headDim = 0, ffn = 0, context = 0;
  double eps = 1e-6;
  // Full layers, and sliding ones: Gemma 3's turn by angles of their own.
  double ropeTheta = 1e4, ropeLocalTheta = 1e4;
  double ropeFactor = 1, ropeLocalFactor = 1;
  int64_t window = 0;  // keys a sliding layer's row sees, itself included
  std::vector<bool> sliding;  // L entries
  double queryPreAttentionScalar = 256;
  double attentionSoftcap = 0, finalSoftcap = 0;  // 0: none
  bool tied = true;  // the head's matrix is the embedding's
  double gainOffset = 1;
  double embeddingScale = 1;
  std::string dtype;  // the checkpoint's own, "" where formats are mixed
  std::vector<int32_t> eosIds, suppressedTokens;
  int32_t bosId = -1;  // -1: nothing stands before a text
  GenerationDefaults generation;
  ChatTemplate chatTemplate = ChatTemplate::None;
  std::string licence;
};

struct Checkpoint {
  std::vector<std::string> files;  // absolute paths
  std::vector<CheckpointTensor> tensors;
  ModelConfig config;
  std::optional<TokenizerModel> tokenizer;
  std::string tokenizerSource;  // "tokenizer.model", "" where there is none
  // The files' own settings, key and value fit for a terminal. For people.
  std::vector<std::pair<std::string, std::string>> settings;
  // Why no model can be built of it, "" where that is not known yet. Set, the
  // files and tensors are still true, and the config as far as it was read.
  std::string unsupported;
  // What a user should know but what does not stop the import.
  std::vector<std::string> warnings;
  bool isGguf = false;

  const CheckpointTensor *find(llvm::StringRef path) const {
    for (const CheckpointTensor &tensor : tensors)
      if (tensor.path == path) return &tensor;
    return nullptr;
  }
};

// "gemma3", "none", …: the word of the metadata section.
llvm::StringRef chatTemplateName(ChatTemplate kind);

// Recognises a template by its text and never runs it. "" is None.
ChatTemplate recogniseChatTemplate(llvm::StringRef text);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_CHECKPOINT_H
