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
#include "compiler/pipeline/BuildRecord.h"
#include "compiler/pipeline/PhaseRecord.h"
#include "compiler/pipeline/Seams.h"
#include "compiler/pipeline/Stages.h"
#include "llvm/ADT/StringExtras.h"
#include "targets/Target.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using gemmac::output::AtomicFile;
using gemmac::targets::Target;

namespace gemmac::pipeline {

namespace {

// A build under way: what its stages hand to each other.
struct Build {
  const BuildOptions &options;
  MLIRContext &context;
  output::Progress &progress;
  Seams seams{options, context};
  const Target *target = nullptr;
  importer::ImportedModel model{};
  packaging::WeightPlan weights{};
  nlohmann::ordered_json phases{};
  Built built{};

  // A stage ends in IR, and the build may end behind it.
  struct Step {
    Stage stage;
    std::string says;  // while it runs
    std::function<LogicalResult()> run;
  };

  LogicalResult run();
  LogicalResult importModel();
  LogicalResult lowerToTarget();
  LogicalResult package(ArrayRef<char> object, AtomicFile &output);
};

LogicalResult Build::run() {
  std::string message;
  target = targets::lookupTarget(options.target, message);
  if (!target) return emitError(UnknownLoc::get(&context), message);
  built.target = target->name().str();
  bool isProgram = !options.stopAfter && options.emit == Emit::Executable;
  // Made before the work, so that a folder that cannot be written shows now.
  AtomicFile output;
  if (isProgram) {
    auto file = AtomicFile::create(options.output, 0755);
    if (!file) return report(context, file.takeError());
    output = std::move(*file);
  }

  auto passes = [&](auto add) {
    return [&, add](OpPassManager &manager) { add(manager, options); };
  };
  const Step steps[] = {
      {Stage::Importer, "1/6 importing " + options.checkpoint,
       [&] { return importModel(); }},
      {Stage::Fusion, "2/6 fusing",
       [&] { return seams.runReported(*model.module, passes(addFusion)); }},
      {Stage::Quantization, "3/6 quantizing",
       [&] { return seams.run(*model.module, passes(addQuantization)); }},
      {Stage::Lowering, "4/6 lowering",
       [&] { return seams.run(*model.module, passes(addLowering)); }},
      {Stage::Target, "5/6 compiling for " + built.target,
       [&] { return lowerToTarget(); }},
  };
  for (const Step &step : steps) {
    progress.phase(step.says);
    if (failed(step.run())) return failure();
    auto stop = seams.stopsAfter(*model.module, step.stage);
    if (failed(stop) || *stop) return stop;
  }
  auto bytes = emit(*model.module, *target, options);
  if (failed(bytes)) return failure();
  if (!isProgram)
    return report(
        context, writeOutput(options, StringRef(bytes->data(), bytes->size())));
  progress.phase("6/6 packaging");
  return package(*bytes, output);
}

LogicalResult Build::importModel() {
  auto imported = importer::importCheckpoint(options.checkpoint, context);
  if (failed(imported)) return failure();
  model = std::move(*imported);
  return success();
}

LogicalResult Build::lowerToTarget() {
  // Read now: the target consumes the kernel dialect.
  auto plan = packaging::planWeights(*model.module);
  if (!plan) return report(context, plan.takeError());
  weights = std::move(*plan);
  phases = recordPhases(*model.module);
  return seams.run(*model.module, [&](OpPassManager &manager) {
    target->buildLowering(manager);
  });
}

LogicalResult Build::package(ArrayRef<char> object, AtomicFile &output) {
  auto metadata = extendMetadata(model.metadataJson, options, target->name(),
                                 weights, phases);
  if (!metadata) return report(context, metadata.takeError());
  packaging::Program program;
  program.object = object;
  program.tokenizer = llvm::arrayRefFromStringRef(model.tokenizerBlob);
  program.metadata = *metadata;
  program.link.sysroot = options.library + "/" + target->architecture().str();
  program.link.modelSymbol = weights.modelSymbol;
  program.link.keepSymbols = options.debugInfo;
  built.formats = packaging::storedFormats(weights);
  return report(context,
                packaging::packageProgram(program, weights, output, progress));
}

}  // namespace

FailureOr<Built> build(const BuildOptions &options, MLIRContext &context,
                       output::Progress &progress) {
  Build build{options, context, progress};
  if (failed(build.run())) return failure();
  return build.built;
}

}  // namespace gemmac::pipeline
