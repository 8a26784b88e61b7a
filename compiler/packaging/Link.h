// SPDX-License-Identifier: Apache-2.0
// Object code -> a static program, by LLD inside this process. Needs no
// compiler on the machine: start files and archives come from the sysroot of
// the program's architecture, a folder that is installed beside gemmac. Does
// not append the model's data.
#ifndef GEMMAC_COMPILER_PACKAGING_LINK_H
#define GEMMAC_COMPILER_PACKAGING_LINK_H

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/output/AtomicFile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "targets/Architecture.h"

namespace gemmac::packaging {

struct LinkOptions {
  std::string library;  // the folder of sysroots: <prefix>/lib/gemmac
  const targets::Architecture *architecture = nullptr;  // what runs the program
  std::string modelSymbol;                              // "gemma_model_<name>"
  bool keepSymbols = false;
};

// The command line, without the object and the output file; LLD's argv[0]
// first. Separate from the call so that -v can show it.
struct LinkCommand {
  std::vector<std::string> before;  // up to the object
  std::vector<std::string> after;
};
// Fails when the sysroot lacks a file.
llvm::Expected<LinkCommand> linkCommand(const LinkOptions &options);

// Links `object`; temporaries stand beside `output`. Returns the program.
llvm::Expected<std::vector<uint8_t>> linkProgram(const LinkCommand &command,
                                                 llvm::ArrayRef<char> object,
                                                 output::AtomicFile &output);

}  // namespace gemmac::packaging

#endif
