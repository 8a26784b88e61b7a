// SPDX-License-Identifier: Apache-2.0
// The importer's front door: a checkpoint on disk -> a module of the gemma
// dialect with a plan of its weights, the tokenizer's section and the first
// part of the metadata section. Reads no weight. Example:
//   auto model = importer::importCheckpoint("gemma-3-270m.gguf", context);
//   if (failed(model)) return failure();  // one error was emitted
#ifndef GEMMAC_COMPILER_IMPORTER_IMPORTER_H
#define GEMMAC_COMPILER_IMPORTER_IMPORTER_H

#include <string>

#include "compiler/importer/Checkpoint.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace gemmac::importer {

struct ImportedModel {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string tokenizerBlob;  // empty where the checkpoint has no tokenizer
  std::string metadataJson;  // one object, compact, the same for the same input
  ModelConfig config;
};

// Reads the files' tables. `path`: a folder of Hugging Face's layout, a
// .safetensors file in one, or a .gguf file. Malformed tables are an error; a
// model that cannot be built comes back with `unsupported` set.
llvm::Expected<Checkpoint> readCheckpoint(llvm::StringRef path);

// The model of a checkpoint that was read. Loads the dialects it needs into
// `context`. The error, `unsupported` too, names file and tensor, or key.
llvm::Expected<ImportedModel> importModel(Checkpoint checkpoint,
                                          mlir::MLIRContext &context);

// Both in one. On failure it has emitted one error; warnings do not stop it.
mlir::FailureOr<ImportedModel> importCheckpoint(llvm::StringRef path,
                                                mlir::MLIRContext &context);

// The metadata object: name, architecture, sizes, sources, bos, eos,
// generation, chat_template, suppress_tokens, licence, tokens.
std::string makeMetadata(const Checkpoint &checkpoint);

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_IMPORTER_H
