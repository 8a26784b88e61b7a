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

// Packed bytes of each format, for the metadata.
std::map<std::string, uint64_t> bytesByFormat(const WeightPlan &plan);

}  // namespace gemmac::packaging

#endif
