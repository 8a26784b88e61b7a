// SPDX-License-Identifier: Apache-2.0
// Reads the tensor tables of safetensors files. Input: a path, the file not
// trusted. Output: tensors whose bytes lie in the file, gapless and without
// overlap. Reads no tensor data and no config.
// Source: the format's description in huggingface/safetensors.
#ifndef GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_SAFETENSORS_H
#define GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_SAFETENSORS_H

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"

namespace gemmac::importer {

// Appends the tensors of one file to `to`, and the file to its files.
llvm::Error readSafetensors(llvm::StringRef path, Checkpoint &to);

// The tensors of a folder: model.safetensors, or the shards that
// model.safetensors.index.json names. A tensor in two shards is an error.
llvm::Error readSafetensorsFolder(llvm::StringRef folder, Checkpoint &to);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_HUGGINGFACE_SAFETENSORS_H
