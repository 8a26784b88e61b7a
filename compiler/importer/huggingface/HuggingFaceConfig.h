// SPDX-License-Identifier: Apache-2.0
// Reads config.json and the files beside it (generation_config.json, the chat
// template, tokenizer.model, LICENSE): a Hugging Face folder without its
// weights. Input: the folder, not trusted. Output: ModelConfig and tokenizer in
// a Checkpoint whose tensors stand there already. Old and new spellings are
// taken; an omitted field has its class's default.
// Source: transformers 5, configuration_{gemma,gemma2,gemma3}.py.
#ifndef GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_HUGGINGFACECONFIG_H
#define GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_HUGGINGFACECONFIG_H

#include <nlohmann/json_fwd.hpp>

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"

namespace gemmac::importer {

// The sizes and settings of a parsed config.json; `file` opens messages.
// Refuses, by name, what is no text model that models/ builds. On an error
// `to` has the architecture's name.
llvm::Error readHuggingFaceConfig(const nlohmann::json &root,
                                  llvm::StringRef file, Checkpoint &to);

// All of a folder but its weights. On an error `to` has the settings that were
// found until then.
llvm::Error readHuggingFaceFolder(llvm::StringRef folder, Checkpoint &to);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_HUGGINGFACECONFIG_H
