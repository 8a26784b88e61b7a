// SPDX-License-Identifier: Apache-2.0
// A file that appears at its path whole or not at all. A temporary beside the
// path (".<name>.gemmac-<pid>.tmp") takes the bytes; commit() makes them
// durable and renames. Whoever dies before leaves the path as it was: errors
// and destructors remove the temporary, SIGINT and SIGTERM too, and what a
// kill -9 leaves is removed by the next build of the same path.
// Does not know what is written.
#ifndef GEMMAC_COMPILER_OUTPUT_ATOMICFILE_H
#define GEMMAC_COMPILER_OUTPUT_ATOMICFILE_H

#include <cstdint>
#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace gemmac::output {

// Fails when writing to `path` would destroy what it must not: a directory, a
// device, or one of `inputs` (files or folders; the same file under any name).
llvm::Error checkOutputPath(llvm::StringRef path,
                            llvm::ArrayRef<std::string> inputs);

// An error that says what was tried and what the system answered.
llvm::Error systemError(const llvm::Twine &what, int code);

class AtomicFile {
 public:
  AtomicFile() = default;
  AtomicFile(AtomicFile &&other) { *this = std::move(other); }
  AtomicFile &operator=(AtomicFile &&other);
  ~AtomicFile() { discard(); }

  // Creates the temporary with `mode` less the process's umask, and removes
  // temporaries that dead builds of the same path left.
  static llvm::Expected<AtomicFile> create(llvm::StringRef path, unsigned mode);

  // The path of the finished file, symbolic links resolved.
  llvm::StringRef path() const { return target; }
  // A name for another file that must vanish with this one: it is removed by
  // discard() and commit(), on signals, and by the next build.
  std::string companion(llvm::StringRef suffix);

  // Takes `bytes` of disk now, so that a full disk shows before the work.
  llvm::Error reserve(uint64_t bytes);
  // Writes all of `bytes` at `offset`; safe on many threads at once.
  llvm::Error write(llvm::ArrayRef<uint8_t> bytes, uint64_t offset);
  llvm::Error commit();
  void discard();

 private:
  void removeTemporaries();

  std::string target;
  std::string temporary;
  llvm::SmallVector<std::string, 2> companions;
  int fd = -1;
};

}  // namespace gemmac::output

#endif
