// SPDX-License-Identifier: Apache-2.0
// How file kinds name one and the same tensor. A path is Hugging Face's name
// without the prefix before "layers.", "embed_tokens" and "norm"; it is what
// the model files ask for. Source: gguf-py's tensor map for Gemma 2 and later.
#ifndef GEMMAC_COMPILER_IMPORTER_TENSORNAMES_H
#define GEMMAC_COMPILER_IMPORTER_TENSORNAMES_H

#include <string>
#include <vector>

#include "llvm/ADT/StringRef.h"

namespace gemmac::importer {

// The path of a tensor of a GGUF file; its own name where none is known.
std::string ggufNameToPath(llvm::StringRef name);
// The inverse, for messages.
std::string pathToGgufName(llvm::StringRef path);

// The path of a tensor of a Hugging Face checkpoint. Names of vision and audio
// parts come back unchanged.
std::string huggingFaceNameToPath(llvm::StringRef name);

// Of `names`, the one with the fewest edits from `wanted`; "" where none is
// within a third of its length.
std::string nearestName(llvm::StringRef wanted,
                        const std::vector<std::string> &names);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TENSORNAMES_H
