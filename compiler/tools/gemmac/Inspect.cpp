// SPDX-License-Identifier: Apache-2.0
// gemmac inspect: what a checkpoint holds, what a build of it would need, and
// why it cannot be built, if so. Reads tables, no weights; builds nothing. A
// checkpoint that is read but not supported is shown all the same; then follow
// the reason on stderr and exit code 1.
#include <map>

#include <nlohmann/json.hpp>

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/Importer.h"
#include "compiler/output/Progress.h"
#include "compiler/pipeline/MemoryPlan.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/Stages.h"
#include "compiler/tools/gemmac/Commands.h"
#include "compiler/tools/gemmac/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using Json = nlohmann::ordered_json;

namespace gemmac::driver {

namespace {

using importer::Checkpoint;
using importer::CheckpointTensor;

struct InspectOptions {
  std::string checkpoint;
  bool json = false;
};

Json describeTokenizer(const Checkpoint &checkpoint) {
  if (!checkpoint.tokenizer) return nullptr;
  return {{"source", checkpoint.tokenizerSource},
          {"pieces", checkpoint.tokenizer->pieces.size()},
          {"bos", checkpoint.tokenizer->bosId},
          {"eos", checkpoint.tokenizer->eosId},
          {"add_bos", checkpoint.tokenizer->addBos}};
}

void describeTensors(const Checkpoint &checkpoint, Json &root) {
  std::map<std::string, int64_t> bytes, counts;
  Json tensors = Json::array();
  int64_t total = 0;
  for (const CheckpointTensor &tensor : checkpoint.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"format", tensor.format},
                       {"bytes", tensor.bytes}});
    bytes[tensor.format] += tensor.bytes;
    ++counts[tensor.format];
    total += tensor.bytes;
  }
  root["weight_bytes"] = total;
  root["weight_bytes_by_format"] = bytes;
  root["tensors_by_format"] = counts;
  root["tensors"] = std::move(tensors);
}

// What the files say; true of unsupported checkpoints too.
Json describeFiles(const Checkpoint &checkpoint) {
  Json root;
  root["name"] = checkpoint.config.name;
  root["architecture"] = checkpoint.config.architecture;
  root["supported"] = true;
  root["unsupported"] = nullptr;
  Json files = Json::array();
  for (const std::string &file : checkpoint.files) {
    uint64_t bytes = 0;
    (void)llvm::sys::fs::file_size(file, bytes);
    files.push_back(
        {{"file", llvm::sys::path::filename(file).str()}, {"bytes", bytes}});
  }
  root["files"] = std::move(files);
  root["tokenizer"] = describeTokenizer(checkpoint);
  root["chat_template"] =
      importer::chatTemplateName(checkpoint.config.chatTemplate).str();
  root["warnings"] = checkpoint.warnings;
  Json settings = Json::object();
  for (const auto &[key, value] : checkpoint.settings) settings[key] = value;
  root["settings"] = std::move(settings);
  describeTensors(checkpoint, root);
  root["memory"] = Json::array();
  return root;
}

// One entry a --quant; the same on every target. Failure: an error went to the
// diagnostics.
mlir::LogicalResult describeMemory(mlir::ModuleOp module, Json &memory) {
  for (size_t i = 0; i < std::size(pipeline::kQuants); ++i) {
    pipeline::BuildOptions options;
    options.quant = pipeline::Quant(i);
    auto plan = pipeline::planMemory(module, options);
    if (mlir::failed(plan)) return mlir::failure();
    memory.push_back({{"quant", name(options.quant)},
                      {"kv", name(pipeline::kvFormat(options))},
                      {"context", plan->context},
                      {"prefill_rows", options.prefillRows},
                      {"weights", plan->weights},
                      {"arena", plan->arena},
                      {"kv_token", plan->kvToken},
                      {"kv_sliding", plan->kvSliding},
                      {"kv_session", plan->kvSession}});
  }
  return mlir::success();
}

std::string shown(const Json &value) {
  return importer::printable(value.is_string() ? value.get<std::string>()
                                               : value.dump(-1, ' ', true));
}

void printRow(llvm::StringRef key, const std::string &value) {
  llvm::outs() << llvm::left_justify(key, 16) << value << "\n";
}

void printHead(const Json &root) {
  for (const char *key : {"name", "architecture"})
    printRow(key, shown(root[key]));
  printRow("supported", root["supported"].get<bool>() ? "yes" : "no");
  for (const Json &file : root["files"])
    printRow("file",
             shown(file["file"]) + ", " + file["bytes"].dump() + " bytes");
  const Json &tokenizer = root["tokenizer"];
  printRow("tokenizer", tokenizer.is_null()
                            ? "none"
                            : shown(tokenizer["source"]) + ", " +
                                  tokenizer["pieces"].dump() + " pieces");
  printRow("chat template", shown(root["chat_template"]));
}

void printTables(const Json &root) {
  auto &out = llvm::outs();
  out << "\nsettings\n";
  for (const auto &[key, value] : root["settings"].items())
    out << "  " << llvm::left_justify(key, 46) << " " << shown(value) << "\n";
  out << "\nweights                   tensors          bytes\n";
  for (const auto &[format, bytes] : root["weight_bytes_by_format"].items())
    out << "  " << llvm::left_justify(format, 24)
        << llvm::right_justify(root["tensors_by_format"][format].dump(), 7)
        << llvm::right_justify(bytes.dump(), 15) << "\n";
  if (!root["memory"].empty())
    out << "\nmemory: bytes with a context of "
        << root["memory"][0]["context"].dump() << " positions and "
        << root["memory"][0]["prefill_rows"].dump() << " prefill rows\n"
        << "  --quant --kv        weights          arena   kv a token"
           "     kv a session\n";
  for (const Json &plan : root["memory"])
    out << "  " << llvm::left_justify(plan["quant"].get<std::string>(), 8)
        << llvm::left_justify(plan["kv"].get<std::string>(), 4)
        << llvm::right_justify(plan["weights"].dump(), 15)
        << llvm::right_justify(plan["arena"].dump(), 15)
        << llvm::right_justify(plan["kv_token"].dump(), 13)
        << llvm::right_justify(plan["kv_session"].dump(), 17) << "\n";
  out << "\ntensors\n";
  for (const Json &tensor : root["tensors"]) {
    std::string shape;
    for (const Json &size : tensor["shape"])
      shape += (shape.empty() ? "" : "x") + size.dump();
    out << "  " << llvm::left_justify(shown(tensor["name"]), 54) << " "
        << llvm::left_justify(shape, 16) << " "
        << llvm::left_justify(tensor["format"].get<std::string>(), 7)
        << llvm::right_justify(tensor["bytes"].dump(), 12) << "\n";
  }
}

int inspect(const InspectOptions &options) {
  auto checkpoint = importer::readCheckpoint(options.checkpoint);
  if (!checkpoint) {
    printError(toString(checkpoint.takeError()));
    return kWrongInput;
  }
  Json root = describeFiles(*checkpoint);
  mlir::MLIRContext context;
  pipeline::loadDialects(context);
  output::Progress progress(llvm::errs(), false, /*isQuiet=*/true);
  DiagnosticPrinter diagnostics(context, progress, /*isVerbose=*/false);
  auto model = importer::importModel(std::move(*checkpoint), context);
  std::string reason;
  if (!model)
    reason = toString(model.takeError());
  else if (mlir::failed(describeMemory(*model->module, root["memory"])))
    reason = "the model cannot be lowered";
  root["supported"] = reason.empty();
  if (!reason.empty()) root["unsupported"] = reason;
  if (options.json) {
    llvm::outs() << root.dump(2, ' ', false, Json::error_handler_t::replace)
                 << "\n";
  } else {
    printHead(root);
    printTables(root);
  }
  if (reason.empty()) return kDone;
  llvm::outs().flush();  // the reason stands behind the tables in a log
  if (!diagnostics.hasError()) printError(reason);
  return kWrongInput;
}

}  // namespace

void addInspect(CLI::App &app, Action &chosen) {
  CLI::App *command = app.add_subcommand(
      "inspect",
      "Shows a checkpoint's architecture, tensors and memory plan, and what "
      "of it is unsupported");
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
