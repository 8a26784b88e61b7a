// SPDX-License-Identifier: Apache-2.0
// Opens the files of a checkpoint, and words errors about them. Input: a path.
// Output: mapped bytes or parsed JSON, every failure an llvm::Error that names
// the file. Refuses what is not a regular file: a pipe would block for ever.
#ifndef GEMMAC_COMPILER_IMPORTER_CHECKPOINTFILE_H
#define GEMMAC_COMPILER_IMPORTER_CHECKPOINTFILE_H

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace gemmac::importer {

llvm::Error importError(const llvm::Twine &message);

// The whole file, mapped read-only; refused beyond `limit` bytes.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> openFile(
    llvm::StringRef path, uint64_t limit = UINT64_MAX);

// Text that a diagnostic may show: cut to 80 bytes, bytes that a terminal acts
// on written as \xHH.
std::string printable(llvm::StringRef text);

// One JSON object. Refused: syntax errors, other roots, more than 64 levels,
// and a key twice in one object, where readers disagree on which one counts.
llvm::Expected<nlohmann::json> parseJsonObject(llvm::StringRef text,
                                               llvm::StringRef file);

// The same of a file of at most `limit` bytes.
llvm::Expected<nlohmann::json> readJsonFile(llvm::StringRef path,
                                            uint64_t limit);

// a * b, or nothing where it exceeds int64.
std::optional<int64_t> multiply(int64_t a, int64_t b);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_CHECKPOINTFILE_H
