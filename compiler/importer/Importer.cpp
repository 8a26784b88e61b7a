// SPDX-License-Identifier: Apache-2.0
// Chooses the reader by the path, builds the graph, and writes the two other
// sections; see the header.
#include "compiler/importer/Importer.h"

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/gguf/Gguf.h"
#include "compiler/importer/huggingface/HuggingFaceConfig.h"
#include "compiler/importer/huggingface/Safetensors.h"
#include "compiler/importer/models/Models.h"
#include "compiler/importer/tokenizer/TokenizerBlob.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace gemmac::importer {
namespace {

// Ten times what the largest Gemma has. Tensors are looked up one by one: a
// table of millions of empty ones would take hours.
constexpr size_t kMaxTensors = 1 << 14;

llvm::Expected<Checkpoint> readHuggingFace(llvm::StringRef folder,
                                           llvm::StringRef file) {
  Checkpoint result;
  if (llvm::Error error = file.empty() ? readSafetensorsFolder(folder, result)
                                       : readSafetensors(file, result))
    return std::move(error);
  if (llvm::Error error = readHuggingFaceFolder(folder, result))
    result.unsupported = llvm::toString(std::move(error));
  return result;
}

llvm::Expected<Checkpoint> readGguf(llvm::StringRef path) {
  auto file = readGgufFile(path);
  if (!file) return file.takeError();
  Checkpoint result;
  if (llvm::Error error = readGgufTensors(*file, result))
    return std::move(error);
  if (llvm::Error error = readGgufCheckpoint(*file, result))
    result.unsupported = llvm::toString(std::move(error));
  return result;
}

llvm::Expected<std::string> makeTokenizerBlob(Checkpoint &checkpoint) {
  if (!checkpoint.tokenizer) return std::string();
  // Only a model that chats has conversation marks that a user could forge.
  if (checkpoint.config.chatTemplate != ChatTemplate::None)
    demoteStructuralPieces(*checkpoint.tokenizer);
  auto blob = writeTokenizerBlob(*checkpoint.tokenizer);
  if (!blob)
    return importError(checkpoint.files.front() +
                       ": tokenizer: " + blob.message());
  return std::move(*blob);
}

void setAttributes(ModuleOp module, const Checkpoint &checkpoint) {
  Builder builder(module.getContext());
  SmallVector<StringRef> sources(checkpoint.files.begin(),
                                 checkpoint.files.end());
  module->setAttr(gemma::kSources, builder.getStrArrayAttr(sources));
  const ModelConfig &config = checkpoint.config;
  module->setAttr(
      gemma::SizesAttr::kModuleAttribute,
      gemma::SizesAttr::get(module.getContext(), config.architecture,
                            config.vocabulary, config.width, config.layers,
                            config.heads, config.kvHeads, config.headDim,
                            config.ffn, config.context));
}

llvm::Error buildGraph(const Checkpoint &checkpoint, ModuleOp module) {
  using Build = llvm::Error (*)(const Checkpoint &, ModuleOp);
  auto build = llvm::StringSwitch<Build>(checkpoint.config.architecture)
                   .Case("gemma", buildGemma1)
                   .Case("gemma2", buildGemma2)
                   .Case("gemma3", buildGemma3)
                   .Default(nullptr);
  if (build) return build(checkpoint, module);
  return importError(checkpoint.files.front() + ": no graph for architecture " +
                     checkpoint.config.architecture);
}

llvm::Error buildModel(Checkpoint &checkpoint, ImportedModel &model) {
  setAttributes(*model.module, checkpoint);
  if (llvm::Error error = buildGraph(checkpoint, *model.module)) return error;
  model.metadataJson = makeMetadata(checkpoint);
  auto blob = makeTokenizerBlob(checkpoint);
  if (!blob) return blob.takeError();
  model.tokenizerBlob = std::move(*blob);
  return llvm::Error::success();
}

}  // namespace

llvm::Expected<Checkpoint> readCheckpoint(llvm::StringRef path) {
  llvm::SmallString<256> absolute(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(absolute))
    return importError(path + ": " + error.message());
  llvm::sys::path::remove_dots(absolute, /*remove_dot_dot=*/false);
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  if (!llvm::sys::fs::exists(absolute))
    return importError(path + ": no such file or folder");
  if (llvm::sys::fs::is_directory(absolute)) {
    // Without the right to search it, no file in it seems to be there.
    if (std::error_code error = llvm::sys::fs::access(
            absolute + "/.", llvm::sys::fs::AccessMode::Exist))
      return importError(path + ": " + error.message());
    return readHuggingFace(absolute, "");
  }
  llvm::StringRef file = absolute;
  if (file.ends_with(".safetensors"))
    return readHuggingFace(llvm::sys::path::parent_path(file), file);
  if (!file.ends_with(".gguf"))
    return importError(path +
                       ": expected a folder, a .safetensors file or a "
                       ".gguf file");
  return readGguf(file);
}

llvm::Expected<ImportedModel> importModel(Checkpoint checkpoint,
                                          MLIRContext &context) {
  if (!checkpoint.unsupported.empty())
    return importError(checkpoint.unsupported);
  if (checkpoint.tensors.size() > kMaxTensors)
    return importError(checkpoint.files.front() + ": expected at most " +
                       llvm::Twine(kMaxTensors) + " tensors, found " +
                       llvm::Twine(checkpoint.tensors.size()));
  context.loadDialect<gemma::GemmaDialect, quantized::QuantizedDialect,
                      func::FuncDialect>();
  ImportedModel model;
  model.module = ModuleOp::create(UnknownLoc::get(&context));
  if (llvm::Error error = buildModel(checkpoint, model))
    return std::move(error);
  if (failed(verify(*model.module)))
    return importError(checkpoint.files.front() +
                       ": the model's graph does not verify");
  model.config = std::move(checkpoint.config);
  return std::move(model);
}

FailureOr<ImportedModel> importCheckpoint(llvm::StringRef path,
                                          MLIRContext &context) {
  Location unknown = UnknownLoc::get(&context);
  auto checkpoint = readCheckpoint(path);
  if (!checkpoint) {
    emitError(unknown) << llvm::toString(checkpoint.takeError());
    return failure();
  }
  std::vector<std::string> warnings = checkpoint->warnings;
  auto model = importModel(std::move(*checkpoint), context);
  if (!model) {
    emitError(unknown) << llvm::toString(model.takeError());
    return failure();
  }
  for (const std::string &warning : warnings) emitWarning(unknown) << warning;
  return std::move(*model);
}

}  // namespace gemmac::importer
