// SPDX-License-Identifier: Apache-2.0
// Model: compiled code with its weights, tokenizer and metadata. Constant once
// loaded, and any number of engines and sessions on any threads may share it.
// Input: a container file, or the parts in memory. It owns no position, cache
// or thread.
#ifndef GEMMA_RUNTIME_MODEL_MODEL_H
#define GEMMA_RUNTIME_MODEL_MODEL_H

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/include/gemma/ModelAbi.h"
#include "runtime/model/Container.h"
#include "runtime/model/Metadata.h"
#include "runtime/model/Status.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace gemma {

// Whether this machine can run `code`.
Status checkMachine(const gemma_model_code &code);

class Model {
 public:
  // `code` must outlive the model. Checks that this machine can run it, that
  // code and data belong together, and prefaults the weights if asked to.
  Status open(const gemma_model_code &code, const char *path = "/proc/self/exe",
              bool prefault = true);

  // The same from memory that outlives the model; `weights` 64-byte aligned,
  // `tokenizer` 8-byte aligned and possibly empty.
  Status load(const gemma_model_code &code, std::string_view metadata,
              std::span<const uint8_t> tokenizer,
              std::span<const uint8_t> weights);

  const gemma_model_code &code() const { return *compiled; }
  const Metadata &metadata() const { return facts; }
  const Container &container() const { return file; }
  const uint8_t *weights() const { return weightBytes; }

  // May hold none: isLoaded() says so, and only text needs it.
  const Tokenizer &tokenizer() const { return pieces; }

  // Bytes of one session's cache when it has reached `positions`.
  int64_t cacheBytes(int64_t positions) const;

 private:
  const gemma_model_code *compiled = nullptr;
  const uint8_t *weightBytes = nullptr;
  Container file;
  Metadata facts;
  Tokenizer pieces;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_MODEL_H
