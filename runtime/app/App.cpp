// SPDX-License-Identifier: Apache-2.0
// Choice of the command, help, and what the commands share. No command's own
// work is here.
#include "runtime/app/App.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <exception>
#include <new>
#include <string_view>

#include "runtime/model/CpuFeatures.h"

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

struct Command {
  const char *name;
  int (*run)(const Program &, Words);
};

constexpr Command kCommands[] = {
    {"chat", runChat},   {"generate", runGenerate}, {"eval", runEval},
    {"bench", runBench}, {"info", runInfo},
};

constexpr Flag kEngineFlags[] = {
    {"--threads", 't', "N", "threads (default: what this process may use)"},
    {"--ctx-size", 'c', "N", "positions (default: the model's)"},
};

constexpr Flag kSamplingFlags[] = {
    {"--temp", 0, "X", "temperature; 0 is greedy"},
    {"--top-k", 0, "N", "sample among the N most likely; 0 is all"},
    {"--top-p", 0, "X", "… among those that reach this probability; 1 is all"},
    {"--min-p", 0, "X", "… among those within this share of the likeliest"},
    {"--repeat-penalty", 0, "X", "divide repeated tokens' logits; 1 is off"},
    {"--repeat-last-n", 0, "N", "tokens that penalties see; -1 is all"},
    {"--presence-penalty", 0, "X", "subtract from repeated tokens' logits"},
    {"--frequency-penalty", 0, "X", "… for each time they occurred"},
    {"--seed", 's', "N", "seed of the random numbers (default: random)"},
    {"--greedy", 0, nullptr, "the likeliest token, without penalties"},
};

constexpr SamplingNumber kSamplingNumbers[] = {
    {"--temp", "temperature", 0, 100, &SamplerOptions::temperature},
    {"--top-p", "top_p", 0, 1, &SamplerOptions::topP},
    {"--min-p", "min_p", 0, 1, &SamplerOptions::minP},
    {"--repeat-penalty", "repetition_penalty", 0.01, 100,
     &SamplerOptions::repetitionPenalty},
    {"--presence-penalty", "presence_penalty", -100, 100,
     &SamplerOptions::presencePenalty},
    {"--frequency-penalty", "frequency_penalty", -100, 100,
     &SamplerOptions::frequencyPenalty},
};

int chooseCommand(const Program &program, Words words) {
  std::string_view first = words.empty() ? "" : words[0];
  if (first == "--help" || first == "-h" || first == "help") {
    fputs(kHelp, stdout);
    return report({});
  }
  if (first == "--version") {
    printf("gemmac runtime %s, container 1, ABI %u\n", GEMMA_RUNTIME_VERSION,
           GEMMA_ABI_VERSION);
    return report({});
  }
  if (first.empty() || first[0] == '-') return runChat(program, words);
  for (const Command &command : kCommands)
    if (first == command.name) return command.run(program, words.subspan(1));
  return report(
      Status(Code::Usage, "expected a command (--help lists them), found \"" +
                              std::string(first) + "\""));
}

}  // namespace

int runApp(const Program &program, Words words) {
  if (uint64_t missing = missingCpuFeatures(program.code->cpu_features)) {
    char line[256];
    size_t length =
        describeMissing(program.code->target, missing, line, sizeof(line));
    fwrite(line, 1, length, stderr);
    return exitCode(Code::WrongMachine);
  }
  int code;
  try {
    code = chooseCommand(program, words);
  } catch (const std::bad_alloc &) {
    return report(Status(Code::OutOfMemory, "out of memory"));
  } catch (const std::exception &error) {
    return report(Status(Code::InvalidInput, error.what()));
  }
  if (fflush(stdout) != 0 && code == exitCode(Code::Ok))
    return report(Status(
        Code::Io, std::string("cannot write the output: ") + strerror(errno)));
  return code;
}

int report(const Status &status) {
  if (!status.message().empty()) {
    fflush(stdout);
    fprintf(stderr, "error: %s\n", status.message().c_str());
  }
  return exitCode(status.code());
}

std::vector<Flag> withEngineFlags(std::span<const Flag> own) {
  std::vector<Flag> flags(own.begin(), own.end());
  flags.insert(flags.end(), std::begin(kEngineFlags), std::end(kEngineFlags));
  return flags;
}

std::vector<Flag> withSamplingFlags(std::span<const Flag> own) {
  std::vector<Flag> flags = withEngineFlags(own);
  flags.insert(flags.end(), std::begin(kSamplingFlags),
               std::end(kSamplingFlags));
  return flags;
}

bool parseWords(const char *command, const char *summary, Words words,
                std::span<const Flag> flags, Arguments &arguments, int &code) {
  for (std::string_view word : words) {
    if (word != "--help" && word != "-h") continue;
    printf("usage: app %s %s\n\n%s", command, summary,
           describeFlags(flags).c_str());
    code = exitCode(Code::Ok);
    return false;
  }
  Status status = arguments.parse(words, flags);
  if (status.ok()) return true;
  code = report(status);
  return false;
}

Status readEngineOptions(const Arguments &arguments, EngineOptions &options) {
  Status status = arguments.integer("--threads", 1, ThreadPool::kMaxThreads,
                                    options.threads);
  if (!status.ok()) return status;
  return arguments.integer("--ctx-size", 1, INT32_MAX, options.context);
}

Status readSampling(const Arguments &arguments, SamplerOptions &options) {
  if (arguments.isSet("--greedy")) {
    options.doSample = false;
    options.repetitionPenalty = 1;
  }
  for (const SamplingNumber &number : kSamplingNumbers) {
    Status status = arguments.number(number.flag, number.least, number.most,
                                     options.*number.to);
    if (!status.ok()) return status;
  }
  // A checkpoint that says do_sample false means its default, not a user's
  // flag.
  for (const char *name : {"--temp", "--top-k", "--top-p", "--min-p"})
    if (arguments.isSet(name) && !arguments.isSet("--greedy"))
      options.doSample = true;
  int64_t seed = -1;
  Status status = arguments.integer("--top-k", 0, INT32_MAX, options.topK);
  if (status.ok())
    status = arguments.integer("--repeat-last-n", -1, INT32_MAX,
                               options.repeatLastN);
  if (status.ok()) status = arguments.integer("--seed", -1, INT64_MAX, seed);
  if (!status.ok()) return status;
  options.seed = static_cast<uint64_t>(seed);
  if (seed < 0 && getrandom(&options.seed, sizeof(options.seed), 0) !=
                      static_cast<ssize_t>(sizeof(options.seed)))
    return Status(Code::Io, "the system gave no random seed: use --seed");
  return {};
}

std::span<const SamplingNumber> samplingNumbers() { return kSamplingNumbers; }

Status readStops(const Arguments &arguments, std::vector<std::string> &stops) {
  stops = arguments.texts("--stop");
  for (const std::string &stop : stops)
    if (stop.empty())
      return Status(Code::Usage, "--stop: expected a text, found an empty one");
  return {};
}

Status startModel(const Program &program, const EngineOptions &options,
                  Model &model, Engine &engine) {
  Status status = model.open(*program.code, program.path);
  if (!status.ok()) return status;
  if (options.context > model.code().context)
    return Status(Code::InvalidInput, "--ctx-size: expected at most " +
                                          std::to_string(model.code().context) +
                                          ", the model's context, found " +
                                          std::to_string(options.context));
  return engine.start(model, static_cast<int>(options.threads));
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
