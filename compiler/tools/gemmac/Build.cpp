// SPDX-License-Identifier: Apache-2.0
// gemmac build: flags -> BuildOptions -> the pipeline.
#include <chrono>
#include <filesystem>

#include <unistd.h>

#include "compiler/output/AtomicFile.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/tools/gemmac/Commands.h"
#include "compiler/tools/gemmac/Diagnostics.h"
#include "compiler/tools/gemmac/Summary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "targets/Target.h"

namespace gemmac::driver {

using pipeline::BuildOptions;
using pipeline::Emit;
namespace fs = std::filesystem;

namespace {

struct BuildFlags {
  BuildOptions options;
  bool quiet = false;
};

// What --help of a finished product lists and this version refuses by name.
constexpr const char *kUnsupportedFlags[] = {"--mmproj", "--recipe", "--preset",
                                             "--lora", "--calibrate"};

// An unset variable in a script, most likely.
const CLI::Validator isNotEmpty(
    [](std::string &text) {
      return text.empty() ? "expected a file name, found ''" : "";
    },
    "FILE");

bool isTextOutput(const BuildOptions &options) {
  return options.stopAfter ||
         (options.emit != Emit::Executable && options.emit != Emit::Object);
}

// As a compiler names its output: after the input, in the current folder; IR
// that was asked for by --stop-after goes to the terminal.
std::string defaultOutput(const BuildOptions &options) {
  if (options.stopAfter) return "-";
  fs::path path(options.checkpoint);
  if (!path.has_filename()) path = path.parent_path();  // "folder/"
  std::error_code ignored;
  std::string name = fs::is_directory(path, ignored)
                         ? fs::weakly_canonical(path, ignored).filename()
                         : path.stem();
  if (name.empty()) name = "model";
  if (options.emit == Emit::Object) return name + ".o";
  if (options.emit == Emit::Assembly) return name + ".s";
  if (options.emit == Emit::LlvmIr) return name + ".ll";
  if (options.emit == Emit::Mlir) return name + ".mlir";
  // The checkpoint's own folder, when it stands right here, has that name.
  return fs::is_directory(name, ignored) ? name + ".app" : name;
}

int wrongInput(const std::string &message) {
  printError(message);
  return kWrongInput;
}

// Empty when every name is a known one, with "gemmac-" or without.
std::string checkPasses(const char *flag, const std::vector<std::string> &names,
                        const std::vector<std::string> &known) {
  for (llvm::StringRef name : names) {
    name.consume_front("gemmac-");
    if (!llvm::is_contained(known, name))
      return std::string(flag) + ": expected one of " +
             llvm::join(known, ", ") + ", found '" + name.str() + "'";
  }
  return "";
}

// What CLI11 cannot know of the flags' values; empty when all are right.
std::string checkValues(const BuildOptions &options) {
  std::string message;
  const targets::Target *target =
      targets::lookupTarget(options.target, message);
  if (!target) return message;
  if (llvm::Error error =
          target->checkOptions({options.cpu, options.mattr, options.debugInfo}))
    return toString(std::move(error));
  message = checkPasses("--disable-pass", options.disabledPasses,
                        pipeline::optionalPasses());
  if (message.empty())
    message = checkPasses("--mlir-print-ir-after", options.printAfter,
                          pipeline::allPasses());
  if (!message.empty()) return message;
  if (options.output == "-" && !isTextOutput(options))
    return std::string("-o -: expected a file for --emit ") +
           name(options.emit);
  return "";
}

int runBuild(BuildFlags &flags) {
  BuildOptions &options = flags.options;
  if (options.output.empty()) options.output = defaultOutput(options);
  if (std::string wrong = checkValues(options); !wrong.empty()) {
    printError(wrong);
    return kWrongUsage;
  }
  std::error_code ignored;
  if (!fs::exists(options.checkpoint, ignored))
    return wrongInput("checkpoint '" + options.checkpoint +
                      "': no such file or folder");
  if (options.output != "-")
    if (llvm::Error error =
            output::checkOutputPath(options.output, {options.checkpoint}))
      return wrongInput(toString(std::move(error)));
  options.library = libraryFolder();

  mlir::MLIRContext context;
  pipeline::loadDialects(context);
  output::Progress progress(llvm::errs(), isatty(STDERR_FILENO), flags.quiet);
  DiagnosticPrinter diagnostics(context, progress, options.verbose);
  auto start = std::chrono::steady_clock::now();
  auto built = pipeline::build(options, context, progress);
  if (mlir::failed(built)) {
    progress.clearLine();
    if (!diagnostics.hasError()) printError("the build failed");
    return kWrongInput;
  }
  std::chrono::duration<double> spent =
      std::chrono::steady_clock::now() - start;
  std::string summary = summarize(options, *built, spent.count());
  if (!summary.empty()) progress.finish(summary);
  return kDone;
}

// A flag whose value is one of `words`, which stand in the enum's order.
template <typename Enum, typename Option, size_t count>
CLI::Option *addChoice(CLI::App &command, const char *flag, Option &to,
                       const char *const (&words)[count],
                       const char *description) {
  auto choose = [&to, &words](const std::string &word) {
    to = Enum(std::find(words, words + count, word) - words);
  };
  return command.add_option_function<std::string>(flag, choose, description)
      ->check(CLI::IsMember(std::vector<std::string>(words, words + count)));
}

void addOutputFlags(CLI::App &command, BuildFlags &flags) {
  BuildOptions &options = flags.options;
  command
      .add_option("CHECKPOINT", options.checkpoint,
                  "Hugging Face folder, model.safetensors or file.gguf")
      ->required();
  command
      .add_option("-o,--output", options.output,
                  "Output file (default: the checkpoint's name)")
      ->check(isNotEmpty)
      ->envname("GEMMAC_OUTPUT");
  addChoice<Emit>(command, "--emit", options.emit, pipeline::kEmits,
                  "What to write")
      ->default_str(name(options.emit))
      ->envname("GEMMAC_EMIT");
  addChoice<pipeline::Stage>(command, "--stop-after", options.stopAfter,
                             pipeline::kStages,
                             "Print the IR after this stage and stop")
      ->envname("GEMMAC_STOP_AFTER");
  command
      .add_option("--dump-stages", options.dumpStages,
                  "Write the IR after every stage into this folder")
      ->envname("GEMMAC_DUMP_STAGES");
}

void addModelFlags(CLI::App &command, BuildFlags &flags) {
  BuildOptions &options = flags.options;
  command
      .add_option("--target", options.target,
                  "native, or one that gemmac targets lists")
      ->capture_default_str()
      ->envname("GEMMAC_TARGET");
  command
      .add_option("--cpu", options.cpu,
                  "Processor to tune for, within the target's "
                  "instructions, as LLVM names it (znver3, …)")
      ->envname("GEMMAC_CPU");
  command
      .add_option("--mattr", options.mattr,
                  "Features: -x without, +x for those within the target's")
      ->envname("GEMMAC_MATTR");
  addChoice<pipeline::Quant>(
      command, "--quant", options.quant, pipeline::kQuants,
      "Weights: keep (the checkpoint's own bits) or a format")
      ->default_str(name(options.quant))
      ->envname("GEMMAC_QUANT");
  addChoice<pipeline::KvFormat>(
      command, "--kv", options.kv, pipeline::kKvFormats,
      "KV cache: f32 or bf16 (default bf16; f32 with --quant f32)")
      ->envname("GEMMAC_KV");
  command
      .add_option("--ctx-size", options.contextSize,
                  "Positions of a conversation (default: the checkpoint's)")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 24))
      ->envname("GEMMAC_CTX_SIZE");
  command
      .add_option("--prefill-rows", options.prefillRows,
                  "Tokens of a prompt that one pass takes")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 16))
      ->capture_default_str()
      ->envname("GEMMAC_PREFILL_ROWS");
}

void addInsightFlags(CLI::App &command, BuildFlags &flags) {
  BuildOptions &options = flags.options;
  command
      .add_option("--disable-pass", options.disabledPasses,
                  "Fusion passes to leave out: fuse-rope,…")
      ->delimiter(',')
      ->envname("GEMMAC_DISABLE_PASS");
  command
      .add_option("--pass-report", options.passReport,
                  "Write here what each fusion saves: phases, bytes and "
                  "operations of a token (-: standard output)")
      ->check(isNotEmpty)
      ->envname("GEMMAC_PASS_REPORT");
  command
      .add_flag("-v,--verbose", options.verbose,
                "Show remarks: what was fused and what was not, and why")
      ->envname("GEMMAC_VERBOSE");
  command.add_flag("-q,--quiet", flags.quiet, "No progress on stderr")
      ->envname("GEMMAC_QUIET");
  command.add_flag("-g", options.debugInfo, "Keep symbols in the executable");
  command.add_flag("--mlir-timing", options.timing, "Time of every pass");
  command.add_flag("--mlir-print-ir-after-all", options.printAfterAll,
                   "Print the IR after every pass that changed it");
  command
      .add_option("--mlir-print-ir-after", options.printAfter,
                  "Print the IR after these passes: fuse-rope,plan-buffers,…")
      ->delimiter(',');
  command
      .add_option("--mlir-pass-pipeline-crash-reproducer",
                  options.crashReproducer,
                  "When a pass fails, write here what gemmac-opt "
                  "--run-reproducer takes to fail again")
      ->check(isNotEmpty);
}

void refuseUnsupported(CLI::App &command) {
  for (const char *flag : kUnsupportedFlags)
    command
        .add_option_function<std::string>(
            flag,
            [flag](const std::string &) {
              throw CLI::ValidationError(
                  flag, "this version of gemmac does not support it yet");
            })
        ->group("");  // not in --help
}

}  // namespace

void addBuild(CLI::App &app, Action &chosen) {
  CLI::App *command = app.add_subcommand(
      "build", "Compiles a checkpoint to an executable of its own");
  auto flags = std::make_shared<BuildFlags>();
  addOutputFlags(*command, *flags);
  addModelFlags(*command, *flags);
  addInsightFlags(*command, *flags);
  refuseUnsupported(*command);
  command->callback(
      [&chosen, flags] { chosen = [flags] { return runBuild(*flags); }; });
}

}  // namespace gemmac::driver
