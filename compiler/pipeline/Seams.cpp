// SPDX-License-Identifier: Apache-2.0
// Seams between the stages. See Seams.h.
#include "compiler/pipeline/Seams.h"

#include "compiler/output/AtomicFile.h"
#include "compiler/packaging/Package.h"
#include "compiler/pipeline/PassReport.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace gemmac::pipeline {

static constexpr StringRef kPassPrefix = "gemmac-";

LogicalResult report(MLIRContext &context, llvm::Error error) {
  if (!error) return success();
  return emitError(UnknownLoc::get(&context), toString(std::move(error)));
}

std::string printModule(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().enableDebugInfo());
  stream << "\n";
  return text;
}

static llvm::Error writeFile(StringRef path, StringRef bytes) {
  auto file = output::AtomicFile::create(path, 0644);
  if (!file) return file.takeError();
  return packaging::writeWhole(*file, {bytes.data(), bytes.size()});
}

// "-": standard output.
static llvm::Error writeText(StringRef path, StringRef bytes) {
  if (path != "-") return writeFile(path, bytes);
  llvm::outs() << bytes;
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    return output::systemError("cannot write standard output", code.value());
  }
  return llvm::Error::success();
}

llvm::Error writeOutput(const BuildOptions &options, StringRef bytes) {
  return writeText(options.output, bytes);
}

std::vector<std::string> passNames(OpPassManager &manager) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  manager.printAsTextualPipeline(stream);
  SmallVector<StringRef> words;
  llvm::SplitString(text, words, "(){},=<> \n");
  std::vector<std::string> names;
  for (StringRef word : words)
    if (word.consume_front(kPassPrefix)) names.push_back(word.str());
  return names;
}

Seams::Seams(const BuildOptions &options, MLIRContext &context)
    : options(options), context(context) {
  timing.setEnabled(options.timing);
  timingRoot = timing.getRootScope();
  if (!options.verbose) return;
  // A kind without a filter of its own, if an empty one, stays off.
  remark::RemarkCategories categories{".*", "", "", "", ""};
  // Fails only where remarks are on already.
  (void)remark::enableOptimizationRemarks(
      context, /*streamer=*/nullptr,
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories,
      /*printAsEmitRemarks=*/true);
}

LogicalResult Seams::run(ModuleOp module,
                         const std::function<void(OpPassManager &)> &fill) {
  return run(module, fill, nullptr);
}

LogicalResult Seams::runReported(
    ModuleOp module, const std::function<void(OpPassManager &)> &fill) {
  if (options.passReport.empty()) return run(module, fill);
  std::vector<PassReport::Entry> entries;
  if (failed(run(module, fill, std::make_unique<PassReport>(entries))))
    return failure();
  return report(context, writeText(options.passReport, formatReport(entries)));
}

// --mlir-print-ir-after-all and --mlir-print-ir-after=PASS.
static void printPasses(const BuildOptions &options, PassManager &manager) {
  if (!options.printAfterAll && options.printAfter.empty()) return;
  manager.getContext()->disableMultithreading();  // else it is refused
  auto isWanted = [&options](Pass *pass, Operation *) {
    StringRef name = pass->getArgument();
    if (options.printAfterAll || llvm::is_contained(options.printAfter, name))
      return true;
    return name.consume_front(kPassPrefix) &&
           llvm::is_contained(options.printAfter, name);
  };
  manager.enableIRPrinting(
      /*shouldPrintBeforePass=*/nullptr, isWanted, /*printModuleScope=*/true,
      /*printAfterOnlyOnChange=*/options.printAfter.empty());
}

LogicalResult Seams::run(ModuleOp module,
                         const std::function<void(OpPassManager &)> &fill,
                         std::unique_ptr<PassInstrumentation> instrumentation) {
  PassManager manager(&context, ModuleOp::getOperationName());
  printPasses(options, manager);
  if (!options.crashReproducer.empty())
    manager.enableCrashReproducerGeneration(options.crashReproducer);
  if (options.timing) manager.enableTiming(timingRoot);
  if (instrumentation) manager.addInstrumentation(std::move(instrumentation));
  fill(manager);
  return manager.run(module);
}

FailureOr<bool> Seams::stopsAfter(ModuleOp module, Stage stage) {
  bool ends = options.stopAfter == stage;
  if (options.dumpStages.empty() && !ends) return false;
  std::string text = printModule(module);
  if (!options.dumpStages.empty()) {
    // Numbers that sort: 1-importer.mlir.
    std::string path = options.dumpStages + "/" +
                       std::to_string(int(stage) + 1) + "-" + name(stage) +
                       ".mlir";
    if (std::error_code code =
            llvm::sys::fs::create_directories(options.dumpStages))
      return report(context, output::systemError(
                                 "cannot create folder '" +
                                     llvm::Twine(options.dumpStages) + "'",
                                 code.value()));
    if (llvm::Error error = writeFile(path, text))
      return report(context, std::move(error));
  }
  if (ends)
    if (llvm::Error error = writeOutput(options, text))
      return report(context, std::move(error));
  return ends;
}

}  // namespace gemmac::pipeline
