// SPDX-License-Identifier: Apache-2.0
// The stage's entry: a finished module and its object code -> the executable,
// whole and in its place, or no file. Calls the parts of this folder in order.
#ifndef GEMMAC_COMPILER_PACKAGING_PACKAGE_H
#define GEMMAC_COMPILER_PACKAGING_PACKAGE_H

#include <map>
#include <string>

#include "compiler/output/AtomicFile.h"
#include "compiler/output/Progress.h"
#include "compiler/packaging/Link.h"
#include "compiler/packaging/WeightStream.h"

namespace gemmac::packaging {

struct Program {
  llvm::ArrayRef<char> object;
  llvm::ArrayRef<uint8_t> tokenizer;  // may be empty
  std::string metadata;               // JSON
  LinkOptions link;
  unsigned threads = 0;  // 0: one a processor
};

// Writes `program` with the weights of `plan` to `output` and commits it.
llvm::Error packageProgram(const Program &program, const WeightPlan &plan,
                           output::AtomicFile &output,
                           output::Progress &progress);

// Writes `bytes` alone and commits: objects and text.
llvm::Error writeWhole(output::AtomicFile &output, llvm::ArrayRef<char> bytes);

// What is stored in one format; bytes as they are packed.
struct StoredFormat {
  uint64_t tensors = 0;
  uint64_t bytes = 0;
};

// By the formats' names: what the weights section will hold, which is not what
// was asked for where a tensor cannot take it.
std::map<std::string, StoredFormat> storedFormats(const WeightPlan &plan);

}  // namespace gemmac::packaging

#endif
