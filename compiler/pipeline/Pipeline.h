// SPDX-License-Identifier: Apache-2.0
// One build: a checkpoint and what the user chose -> the file at `output`.
#ifndef GEMMAC_COMPILER_PIPELINE_PIPELINE_H
#define GEMMAC_COMPILER_PIPELINE_PIPELINE_H

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/output/Progress.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"

namespace gemmac::pipeline {

struct BuildOptions {
  std::string checkpoint;    // folder, .safetensors or .gguf
  std::string output;        // "-": standard output, for text only
  std::string emit = "exe";  // exe, object, asm, llvm or mlir
  std::string stopAfter;     // a stage whose IR is printed; empty: none
  std::string target = "native";
  std::string cpu;
  std::string mattr;
  std::string quant = "keep";
  std::string kv;           // f32 or bf16
  int64_t contextSize = 0;  // positions; 0: the checkpoint's
  int64_t prefillRows = 512;
  std::vector<std::string> disabledPasses;  // "fuse-rope"
  std::string dumpStages;                   // a folder; empty: none
  std::string passReport;                   // a file or "-"; empty: none
  std::string crashReproducer;              // a file; empty: none
  std::vector<std::string> printAfter;      // "fuse-rope", any pass
  std::string library;  // the folder of sysroots: <prefix>/lib/gemmac
  bool verbose = false;
  bool debugInfo = false;
  bool timing = false;
  bool printAfterAll = false;
};

// The stages in their order.
inline constexpr const char *kStages[] = {"importer", "fusion", "quantization",
                                          "lowering", "target"};

// What disabledPasses may name.
std::vector<std::string> optionalPasses();

// What printAfter may name: all passes of gemmac's own.
std::vector<std::string> allPasses();

// Loads the dialects that a build may meet.
void loadDialects(mlir::MLIRContext &context);

// Failure means that one error, at least, went to the context's diagnostics
// and that no file is left at `output`.
mlir::LogicalResult build(const BuildOptions &options,
                          mlir::MLIRContext &context,
                          output::Progress &progress);

}  // namespace gemmac::pipeline

#endif
