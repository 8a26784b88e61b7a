// gemmac inspect: what a checkpoint holds, without building it.
#include <map>

#include "compiler/importer/Importer.h"
#include "compiler/packaging/Progress.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/tools/gemmac/Commands.h"
#include "compiler/tools/gemmac/Diagnostics.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <nlohmann/json.hpp>

using Json = nlohmann::ordered_json;

namespace gemmac::driver {

namespace {

struct InspectOptions {
  std::string checkpoint;
  bool json = false;
};

Json describe(importer::ImportedModel &model) {
  Json root = Json::parse(model.metadataJson, nullptr, false);
  if (!root.is_object()) root = Json::object();
  root["tokenizer_bytes"] = model.tokenizerBlob.size();
  Json tensors = Json::array();
  std::map<std::string, uint64_t> formats;
  uint64_t total = 0;
  for (auto weight : model.module->getOps<quantized::WeightOp>()) {
    std::string format = weight.getSourceFormat().str();
    uint64_t bytes = uint64_t(weight.getSourceBytes());
    tensors.push_back({{"name", weight.getSymName().str()},
                       {"shape", weight.getTensorType().getShape().vec()},
                       {"format", format},
                       {"bytes", bytes}});
    formats[format] += bytes;
    total += bytes;
  }
  root["weight_bytes"] = total;
  root["weight_bytes_by_format"] = formats;
  root["tensors"] = std::move(tensors);
  return root;
}

void printText(const Json &root) {
  auto &out = llvm::outs();
  for (auto &[key, value] : root.items())
    if (key != "tensors" && key != "licence")
      out << llvm::left_justify(key, 24)
          << (value.is_string() ? value.get<std::string>() : value.dump())
          << "\n";
  out << "\n";
  for (const Json &tensor : root["tensors"]) {
    std::string shape;
    for (const Json &size : tensor["shape"])
      shape += (shape.empty() ? "" : "x") + size.dump();
    out << llvm::left_justify(tensor["name"].get<std::string>(), 56) << " "
        << llvm::left_justify(shape, 16) << " "
        << llvm::left_justify(tensor["format"].get<std::string>(), 6)
        << llvm::right_justify(tensor["bytes"].dump(), 12) << "\n";
  }
}

int inspect(const InspectOptions &options) {
  mlir::MLIRContext context;
  pipeline::loadDialects(context);
  packaging::Progress progress(llvm::errs(), false, /*isQuiet=*/true);
  DiagnosticPrinter diagnostics(context, progress, /*isVerbose=*/false);
  auto model = importer::importCheckpoint(options.checkpoint, context);
  if (mlir::failed(model)) {
    if (!diagnostics.hasError()) printError("cannot read the checkpoint");
    return kWrongInput;
  }
  Json root = describe(*model);
  if (options.json)
    llvm::outs() << root.dump(2, ' ', false, Json::error_handler_t::replace)
                 << "\n";
  else
    printText(root);
  return kDone;
}

}  // namespace

void addInspect(CLI::App &app, Action &chosen) {
  CLI::App *command = app.add_subcommand(
      "inspect", "Shows a checkpoint's architecture, tensors and sizes");
  auto options = std::make_shared<InspectOptions>();
  command
      ->add_option("CHECKPOINT", options->checkpoint,
                   "Hugging Face folder, model.safetensors or file.gguf")
      ->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback(
      [&chosen, options] { chosen = [options] { return inspect(*options); }; });
}

}  // namespace gemmac::driver
