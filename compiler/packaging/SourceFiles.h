// SPDX-License-Identifier: Apache-2.0
// The checkpoint's files, open for reading at any place by any thread. What was
// read leaves the page cache: it is read once, and must not push out what
// others need.
#ifndef GEMMAC_COMPILER_PACKAGING_SOURCEFILES_H
#define GEMMAC_COMPILER_PACKAGING_SOURCEFILES_H

#include "compiler/packaging/WeightStream.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace gemmac::packaging {

class SourceFiles {
 public:
  SourceFiles() = default;
  ~SourceFiles();
  SourceFiles(const SourceFiles &) = delete;
  SourceFiles &operator=(const SourceFiles &) = delete;

  llvm::Error open(llvm::ArrayRef<std::string> paths);

  // Fills `bytes` from `offset` of the job's file. The error names the tensor,
  // the file, and how much was there.
  llvm::Error read(const WeightPlan &plan, const WeightJob &job,
                   uint64_t offset, llvm::MutableArrayRef<uint8_t> bytes) const;

 private:
  llvm::SmallVector<int> descriptors;
};

}  // namespace gemmac::packaging

#endif
