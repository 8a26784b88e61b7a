// SPDX-License-Identifier: Apache-2.0
// Metadata: what the compiler recorded about a model, as plain values. Input:
// the metadata section, JSON; unknown keys are kept in `text` and otherwise
// ignored. Every value is checked for type and range, and a missing one keeps
// its default.
#ifndef GEMMA_RUNTIME_MODEL_METADATA_H
#define GEMMA_RUNTIME_MODEL_METADATA_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/Status.h"

namespace gemma {

// The checkpoint's generation_config.json: only what it states.
struct GenerationDefaults {
  std::optional<bool> doSample;
  std::optional<double> temperature;
  std::optional<int64_t> topK;
  std::optional<double> topP;
  std::optional<double> minP;
  std::optional<double> repetitionPenalty;
  std::vector<int32_t> suppressedTokens;
};

// The functions of gemma_model_code.
enum class EntryPoint { Decode, Batch, Prefill, Head, ArgMax };

// What attention takes of each position that a row sees within `window` (0:
// all), in all layers that have this window.
struct CacheUse {
  int64_t window = 0;
  int64_t bytes = 0;
  int64_t operations = 0;
};

// All phases of one kind in an entry point.
struct PhaseKind {
  std::string name;
  int64_t weightBytes = 0;
  int64_t operations = 0;  // a row
  std::vector<CacheUse> cache;
};

struct EntryPhases {
  std::vector<PhaseKind> kinds;
  std::vector<size_t> order;  // indices of kinds, as a call runs them
};

// What the weights section holds in one format.
struct StoredFormat {
  std::string name;
  int64_t tensors = 0;  // 0 in files older than this count
  int64_t bytes = 0;
};

struct Metadata {
  std::string name = "model";
  std::string architecture;
  int32_t bos = -1;  // -1: no token stands before a text
  std::vector<int32_t> eos;
  GenerationDefaults generation;
  // A template's name, "none" or "unknown"; which are spoken: runtime/chat.
  std::string chatTemplate = "none";
  std::string licence;
  // `quantization` is what was asked for; what each tensor took is in
  // `formats`, the largest share first.
  std::string target, quantization, cache;
  std::vector<StoredFormat> formats;
  // Bytes of weights that one decoded token reads; 0: all of them.
  int64_t weightBytesPerToken = 0;
  // By EntryPoint; empty in files older than it.
  std::array<EntryPhases, 5> phases;
  // The section as it stands in the file.
  std::string text;

  // `vocabulary` bounds the token ids.
  static Result<Metadata> parse(std::string_view text, int64_t vocabulary);
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_METADATA_H
