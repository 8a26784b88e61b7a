// SPDX-License-Identifier: Apache-2.0
// What a user chose for a build, as types: a fixed set is an enum, parsed once,
// by the command line. Where a pass, a file or a message wants its word, name()
// gives it; there is no other list of the words.
#ifndef GEMMAC_COMPILER_PIPELINE_BUILDOPTIONS_H
#define GEMMAC_COMPILER_PIPELINE_BUILDOPTIONS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gemmac::pipeline {

// The stages in their order; each ends in IR that can be seen.
enum class Stage { Importer, Fusion, Quantization, Lowering, Target };
inline constexpr const char *kStages[] = {"importer", "fusion", "quantization",
                                          "lowering", "target"};

// What is written.
enum class Emit { Executable, Object, Assembly, LlvmIr, Mlir };
inline constexpr const char *kEmits[] = {"exe", "object", "asm", "llvm",
                                         "mlir"};

// The weights' formats: the checkpoint's own bits, or one for all matrices.
enum class Quant { Keep, F32, Bf16, Int8, Int4 };
inline constexpr const char *kQuants[] = {"keep", "f32", "bf16", "int8",
                                          "int4"};

// The KV cache's elements.
enum class KvFormat { F32, Bf16 };
inline constexpr const char *kKvFormats[] = {"f32", "bf16"};

inline const char *name(Stage stage) { return kStages[size_t(stage)]; }
inline const char *name(Emit emit) { return kEmits[size_t(emit)]; }
inline const char *name(Quant quant) { return kQuants[size_t(quant)]; }
inline const char *name(KvFormat format) { return kKvFormats[size_t(format)]; }

struct BuildOptions {
  std::string checkpoint;  // folder, .safetensors or .gguf
  std::string output;      // "-": standard output, for text only
  Emit emit = Emit::Executable;
  std::optional<Stage> stopAfter;  // its IR is printed
  std::string target = "native";
  std::string cpu;
  std::string mattr;
  Quant quant = Quant::Keep;
  std::optional<KvFormat> kv;  // none: what kvFormat() says
  int64_t contextSize = 0;     // positions; 0: the checkpoint's
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

}  // namespace gemmac::pipeline

#endif
