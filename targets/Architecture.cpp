// SPDX-License-Identifier: Apache-2.0
// The table of architectures: see Architecture.h.
#include "targets/Architecture.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using llvm::StringLiteral;

namespace gemmac::targets {
namespace {

// Left alone LLVM prefers 256-bit registers on AVX-512.
constexpr StringLiteral kX86VectorWidth[] = {"prefer-vector-width",
                                             "min-legal-vector-width"};

// Of a static, position-independent program on Linux with glibc, compiled by
// GCC's or clang's start files.
constexpr StringLiteral kStartFiles[] = {"rcrt1.o", "crti.o", "crtbeginS.o"};
constexpr StringLiteral kEndFiles[] = {"crtendS.o", "crtn.o"};
constexpr StringLiteral kX86Archives[] = {
    "libstdc++.a", "libm.a", "libmvec.a", "libgcc.a", "libgcc_eh.a", "libc.a"};

constexpr Architecture kArchitectures[] = {
    {.name = "x86_64",
     .triple = "x86_64-unknown-linux-gnu",
     .baseline = "x86-64",
     .baselineVectorBits = 128,
     // Code and constants are far below 2 GiB: the weights are no part of them.
     .codeModel = llvm::CodeModel::Small,
     .vectorWidthAttributes = kX86VectorWidth,
     .emulation = "elf_x86_64",
     .startFiles = kStartFiles,
     .systemArchives = kX86Archives,
     .endFiles = kEndFiles},
};

}  // namespace

llvm::ArrayRef<Architecture> allArchitectures() { return kArchitectures; }

const Architecture *hostArchitecture() {
  llvm::Triple host(llvm::sys::getProcessTriple());
  auto *found = llvm::find_if(kArchitectures, [&](const Architecture &row) {
    return llvm::Triple(row.triple).getArch() == host.getArch();
  });
  return found == std::end(kArchitectures) ? nullptr : found;
}

const Architecture &x86_64() { return kArchitectures[0]; }

}  // namespace gemmac::targets
