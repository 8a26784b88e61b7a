// SPDX-License-Identifier: Apache-2.0
// An architecture that gemmac builds executables for, in the words of all who
// have one for it: the code generator, the linker, and the folder of start
// files and archives that it links with. The one table of them; a new
// architecture is a row of it (and its sysroot: runtime/Sysroot.cmake). Knows
// no instruction set beyond the architecture's baseline: those are targets.
#ifndef GEMMAC_TARGETS_ARCHITECTURE_H
#define GEMMAC_TARGETS_ARCHITECTURE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CodeGen.h"

namespace gemmac::targets {

struct Architecture {
  // As in a triple and in the names of its targets; also the folder of its
  // sysroot under lib/gemmac.
  llvm::StringRef name;  // "x86_64"

  // For the code generator.
  llvm::StringRef triple;
  llvm::StringRef baseline;     // LLVM's processor without any extension
  unsigned baselineVectorBits;  // its widest register
  llvm::CodeModel::Model codeModel;
  // Function attributes whose value, a number of bits, is the width of the
  // registers to use; none where the instruction set alone decides it.
  llvm::ArrayRef<llvm::StringLiteral> vectorWidthAttributes;

  // For the linker: its -m, and the files of the sysroot that a static,
  // position-independent program is made of, around the model's object and the
  // runtime's archives.
  llvm::StringRef emulation;
  llvm::ArrayRef<llvm::StringLiteral> startFiles, systemArchives, endFiles;
};

// All, in no order that means anything.
llvm::ArrayRef<Architecture> allArchitectures();
// The one that gemmac itself runs on; null when it is not in the table.
const Architecture *hostArchitecture();

const Architecture &x86_64();

}  // namespace gemmac::targets

#endif
