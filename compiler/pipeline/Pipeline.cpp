// SPDX-License-Identifier: Apache-2.0
// START READING HERE. The compiler from end to end: checkpoint -> executable.
//
//   1. importer      checkpoint -> the gemma dialect and a plan of its weights
//   2. fusion        gemma -> gemma: fewer, larger ops
//   3. quantization  chooses formats; linears on codes become integer products
//   4. lowering      gemma + quantized -> the kernel dialect: phases and tiles
//   5. target        kernel -> the LLVM dialect -> an object
//   6. packaging     object + runtime + weights -> one executable
//
// Each stage is a folder beside this one (the target's is /targets); stages
// talk through the IR and never include each other. This file calls them in
// order and decides nothing. What happens between two stages is in Seams.h.
#include "compiler/pipeline/Pipeline.h"

#include "compiler/importer/Importer.h"
#include "compiler/packaging/Package.h"
#include "compiler/pipeline/BuildRecord.h"
#include "compiler/pipeline/PhaseRecord.h"
#include "compiler/pipeline/Seams.h"
#include "compiler/pipeline/Stages.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "targets/Target.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using gemmac::output::AtomicFile;
using gemmac::targets::Target;

namespace gemmac::pipeline {

void loadDialects(MLIRContext &context) {
  context.loadDialect<
      gemma::GemmaDialect, quantized::QuantizedDialect, kernel::KernelDialect,
      arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
      memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect>();
}

namespace {

FailureOr<SmallVector<char, 0>> emit(const BuildOptions &options,
                                     const Target &target, ModuleOp module) {
  if (options.emit == "mlir") {
    std::string text = printModule(module);
    return SmallVector<char, 0>(text.begin(), text.end());
  }
  auto output = llvm::StringSwitch<Target::Output>(options.emit)
                    .Case("asm", Target::Output::Assembly)
                    .Case("llvm", Target::Output::LlvmIr)
                    .Default(Target::Output::Object);
  return target.emit(module, output,
                     {options.cpu, options.mattr, options.debugInfo});
}

LogicalResult package(const BuildOptions &options, const Target &target,
                      const importer::ImportedModel &model,
                      const packaging::WeightPlan &weights,
                      const nlohmann::ordered_json &phases,
                      ArrayRef<char> object, AtomicFile &output,
                      output::Progress &progress) {
  MLIRContext &context = *model.module.get().getContext();
  auto metadata = extendMetadata(model.metadataJson, options, target.name(),
                                 weights, phases);
  if (!metadata) return report(context, metadata.takeError());
  packaging::Program program;
  program.object = object;
  program.tokenizer = llvm::arrayRefFromStringRef(model.tokenizerBlob);
  program.metadata = *metadata;
  program.link.library = options.library;
  program.link.architecture = &target.architecture();
  program.link.modelSymbol = weights.modelSymbol;
  program.link.keepSymbols = options.debugInfo;
  if (llvm::Error error =
          packaging::packageProgram(program, weights, output, progress))
    return report(context, std::move(error));
  return success();
}

}  // namespace

LogicalResult build(const BuildOptions &options, MLIRContext &context,
                    output::Progress &progress) {
  std::string message;
  const Target *target = targets::lookupTarget(options.target, message);
  if (!target) return emitError(UnknownLoc::get(&context), message);
  Seams seams(options, context);
  // Made before the work, so that a folder that cannot be written shows now.
  AtomicFile output;
  if (options.stopAfter.empty() && options.emit == "exe") {
    auto file = AtomicFile::create(options.output, 0755);
    if (!file) return report(context, file.takeError());
    output = std::move(*file);
  }

  progress.phase("1/6 importing " + options.checkpoint);
  auto model = importer::importCheckpoint(options.checkpoint, context);
  if (failed(model)) return failure();
  ModuleOp module = model->module.get();
  auto stop = seams.stopsAfter(module, "importer");
  if (failed(stop) || *stop) return stop;

  progress.phase("2/6 fusing");
  if (failed(seams.runReported(module, [&](OpPassManager &manager) {
        addFusion(manager, options);
      })))
    return failure();
  stop = seams.stopsAfter(module, "fusion");
  if (failed(stop) || *stop) return stop;

  progress.phase("3/6 quantizing");
  if (failed(seams.run(module, [&](OpPassManager &manager) {
        addQuantization(manager, options);
      })))
    return failure();
  stop = seams.stopsAfter(module, "quantization");
  if (failed(stop) || *stop) return stop;

  progress.phase("4/6 lowering");
  if (failed(seams.run(module, [&](OpPassManager &manager) {
        addLowering(manager, options);
      })))
    return failure();
  stop = seams.stopsAfter(module, "lowering");
  if (failed(stop) || *stop) return stop;
  // Read now: the target consumes the kernel dialect.
  auto weights = packaging::planWeights(module);
  if (!weights) return report(context, weights.takeError());
  auto phases = recordPhases(module);

  progress.phase("5/6 compiling for " + target->name().str());
  if (failed(seams.run(module, [&](OpPassManager &manager) {
        target->buildLowering(manager);
      })))
    return failure();
  stop = seams.stopsAfter(module, "target");
  if (failed(stop) || *stop) return stop;
  auto bytes = emit(options, *target, module);
  if (failed(bytes)) return failure();
  if (options.emit != "exe")
    return report(
        context, writeOutput(options, StringRef(bytes->data(), bytes->size())));

  progress.phase("6/6 packaging");
  return package(options, *target, *model, *weights, phases, *bytes, output,
                 progress);
}

}  // namespace gemmac::pipeline
