// SPDX-License-Identifier: Apache-2.0
// The output file around the weights: linked code, padding, sections, trailer
// (runtime/include/gemma/ModelAbi.h). Decides where everything stands, writes
// all but the weights, and hashes all. Does not know what a section means.
#ifndef GEMMAC_COMPILER_PACKAGING_CONTAINER_H
#define GEMMAC_COMPILER_PACKAGING_CONTAINER_H

#include <cstdint>

#include "compiler/output/AtomicFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "runtime/include/gemma/ModelAbi.h"

namespace gemmac::packaging {

struct ContainerParts {
  llvm::ArrayRef<uint8_t> code;  // the linked program; empty for a sidecar
  llvm::ArrayRef<uint8_t> metadata;
  llvm::ArrayRef<uint8_t> tokenizer;
  uint64_t weightBytes = 0;
};

class ContainerWriter {
 public:
  // Lays the file out; nothing is written yet.
  ContainerWriter(output::AtomicFile &file, const ContainerParts &parts);

  uint64_t fileBytes() const { return trailerOffset + sizeof(gemma_trailer); }
  // Where in the file the weights section starts.
  uint64_t weightsOffset() const;

  // Writes code, metadata and tokenizer.
  llvm::Error writeParts();
  // Writes the trailer, when the weights stand in the file.
  llvm::Error finish(uint64_t weightsHash);

 private:
  output::AtomicFile &file;
  ContainerParts parts;
  gemma_trailer trailer{};
  uint64_t trailerOffset;
};

}  // namespace gemmac::packaging

#endif
