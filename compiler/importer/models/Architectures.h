// SPDX-License-Identifier: Apache-2.0
// The architectures that models/ builds: their names in files and the sizes of
// those that leave fields out. And the names of relatives, so that a refusal
// says what the model is. Data only; no file is read here.
// Source: transformers 5, configuration_{gemma,gemma2,gemma3}.py.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_ARCHITECTURES_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_ARCHITECTURES_H

#include <string>
#include <vector>

#include "compiler/importer/Checkpoint.h"
#include "llvm/ADT/StringRef.h"

namespace gemmac::importer {

struct Architecture {
  std::string name;                     // GGUF's and ours: "gemma2"
  std::vector<std::string> modelTypes;  // config.json's model_type
  std::vector<std::string> classes;     // config.json's architectures
  ModelConfig defaults;                 // of fields that config.json omits
  int64_t period;  // every period-th layer is full; 0: all are
  // Sliding layers turn by a rope base of their own, and are never scaled.
  bool hasLocalRope;
};

// nullptr where the compiler builds no such model.
const Architecture *lookupArchitecture(llvm::StringRef name);
const Architecture *lookupModelType(llvm::StringRef modelType);

// What a refused name stands for, in brackets: " (EmbeddingGemma, …)"; "" where
// it is unknown. Takes names of all three kinds.
std::string describeUnsupported(llvm::StringRef name);

// "'gemma', 'gemma2' or 'gemma3'": what a refusal expected.
std::string quotedList(const std::vector<std::string> &names);
std::string knownArchitectures();
std::string knownModelTypes();

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_ARCHITECTURES_H
