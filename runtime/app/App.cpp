// SPDX-License-Identifier: Apache-2.0
// Choice of the command, help, exit codes, and what commands share. No
// command's own work is here.
#include "runtime/app/App.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include "runtime/app/SamplingFlags.h"

namespace gemma {
namespace {

constexpr char kHelp[] =
    "usage: app [COMMAND] [FLAGS]\n"
    "\n"
    "  chat       talk with the model in the terminal (without a command)\n"
    "  generate   continue or answer texts\n"
    "  eval       perplexity, logits, distance from another model\n"
    "  bench      speed and memory\n"
    "  info       what is inside, and whether it is whole\n"
    "\n"
    "COMMAND --help lists the flags of a command. Every flag has a twin in "
    "the\n"
    "environment: --top-k is also GEMMAC_TOP_K.\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 3 wrong machine.\n";

constexpr const Command *kCommands[] = {
    &kChatCommand,  &kGenerateCommand, &kEvalCommand,
    &kBenchCommand, &kInfoCommand,
};

constexpr Flag kEngineFlags[] = {
    {"--threads", 't', "N", "threads (default: what this process may use)"},
    {"--ctx-size", 'c', "N", "positions (default: the model's)"},
};

// The command's own flags, then those that it shares.
std::vector<Flag> flagsOf(const Command &command) {
  std::vector<Flag> flags(command.flags.begin(), command.flags.end());
  auto add = [&](std::span<const Flag> more) {
    flags.insert(flags.end(), more.begin(), more.end());
  };
  if (command.shared != Command::Shared::None) add(kEngineFlags);
  if (command.shared == Command::Shared::Sampling) add(samplingFlags());
  return flags;
}

Status runCommand(const Command &command, const Program &program, Words words) {
  for (std::string_view word : words) {
    if (word != "--help" && word != "-h") continue;
    printf("usage: app %s %s\n\n%s", command.name, command.summary,
           describeFlags(flagsOf(command)).c_str());
    return {};
  }
  App app(program);
  Status status = app.parse(command, words);
  return status.ok() ? command.run(app) : status;
}

Status chooseCommand(const Program &program, Words words) {
  std::string_view first = words.empty() ? "" : words[0];
  if (first == "--help" || first == "-h" || first == "help") {
    fputs(kHelp, stdout);
    return {};
  }
  if (first == "--version") {
    printf("gemmac runtime %s, container 1, ABI %u\n", GEMMA_RUNTIME_VERSION,
           GEMMA_ABI_VERSION);
    return {};
  }
  if (first.empty() || first[0] == '-')
    return runCommand(kChatCommand, program, words);
  for (const Command *command : kCommands)
    if (first == command->name)
      return runCommand(*command, program, words.subspan(1));
  return Status(Code::Usage,
                "expected a command (--help lists them), found \"" +
                    std::string(first) + "\"");
}

}  // namespace

int runApp(const Program &program, Words words) {
  Status status = checkMachine(*program.code);
  try {
    if (status.ok()) status = chooseCommand(program, words);
  } catch (const std::bad_alloc &) {
    status = Status(Code::OutOfMemory, "out of memory");
  } catch (const std::exception &error) {
    status = Status(Code::InvalidInput, error.what());
  }
  if (fflush(stdout) != 0 && status.ok())
    status = Status(Code::Io,
                    std::string("cannot write the output: ") + strerror(errno));
  report(status);
  return exitCode(status.code());
}

Status App::parse(const Command &command, Words words) {
  Status status = arguments.parse(words, flagsOf(command));
  int64_t positions = 0;
  // Neither is set where the command does not have it.
  if (status.ok())
    status =
        arguments.integer("--threads", 1, ThreadPool::kMaxThreads, threads);
  if (status.ok())
    status = arguments.integer("--ctx-size", 1, INT32_MAX, positions);
  context = static_cast<int32_t>(positions);
  return status;
}

Status App::openModel(bool prefault) {
  return model.open(*program.code, program.path, prefault);
}

Status App::start() {
  Status status = openModel(/*prefault=*/true);
  if (!status.ok()) return status;
  int32_t most = model.code().context;
  if (context > most)
    return Status(Code::InvalidInput, "--ctx-size: expected at most " +
                                          std::to_string(most) +
                                          ", the model's context, found " +
                                          std::to_string(context));
  return engine.start(model, static_cast<int>(threads));
}

void report(const Status &status) {
  if (status.message().empty()) return;
  fflush(stdout);
  fprintf(stderr, "error: %s\n", status.message().c_str());
}

Result<std::string> readFile(const std::string &path) {
  FILE *file = path == "-" ? stdin : fopen(path.c_str(), "rbe");
  if (file == nullptr)
    return Status(Code::Io, path + ": cannot be opened: " + strerror(errno));
  char buffer[65536];
  size_t count;
  std::string text;
  while ((count = fread(buffer, 1, sizeof(buffer), file)) > 0)
    text.append(buffer, count);
  bool good = ferror(file) == 0;
  if (file != stdin) fclose(file);
  if (!good) return Status(Code::Io, path + ": cannot be read");
  return text;
}

}  // namespace gemma
