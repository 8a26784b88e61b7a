// SPDX-License-Identifier: Apache-2.0
// What every reader owes the rest of the compiler: sizes in sane ranges, token
// ids inside the vocabulary, layer kinds for all layers.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_MODELCHECKS_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_MODELCHECKS_H

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"

namespace gemmac::importer {

// Checks `config` alone; `file` opens the message. After it, no product of two
// sizes overflows and no division is by zero.
llvm::Error checkConfig(const ModelConfig &config, llvm::StringRef file);

// Checks the tokenizer against the embedding's rows, and adds the ids of the
// tokens that end an answer, found by their text.
llvm::Error resolveSpecialTokens(Checkpoint &checkpoint, llvm::StringRef file);

// Fills config.sliding: full where (layer + 1) % period is 0; all full where
// there is no window or no period.
void setLayerPattern(ModelConfig &config, int64_t period);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_MODELCHECKS_H
