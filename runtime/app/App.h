// SPDX-License-Identifier: Apache-2.0
// The compiled executable's commands. Each takes its own words (without the
// command's name) and returns the exit code (Status.h). Errors are one line on
// stderr, "error: …"; results go to stdout.
#ifndef GEMMA_RUNTIME_APP_APP_H
#define GEMMA_RUNTIME_APP_APP_H

#include <span>
#include <string>
#include <vector>

#include "runtime/app/Arguments.h"
#include "runtime/generation/Generator.h"
#include "runtime/model/Engine.h"

namespace gemma {

// Where the program's code and data come from; a test gives its own.
struct Program {
  const gemma_model_code *code;
  const char *path;  // of the container
};

using Words = std::span<const char *const>;

int runApp(const Program &program, Words words);

int runChat(const Program &program, Words words);
int runGenerate(const Program &program, Words words);
int runEval(const Program &program, Words words);
int runBench(const Program &program, Words words);
int runInfo(const Program &program, Words words);

// Prints "error: …", where it is one and nobody did, and returns the exit code.
int report(const Status &status);

// Appends a command's own flags to those that several share.
std::vector<Flag> withEngineFlags(std::span<const Flag> own);
std::vector<Flag> withSamplingFlags(std::span<const Flag> own);

// Parses `words`. False: `code` is the exit code, and help or an error has been
// printed.
bool parseWords(const char *command, const char *summary, Words words,
                std::span<const Flag> flags, Arguments &arguments, int &code);

// -t and -c. `context` 0: the model's.
struct EngineOptions {
  int64_t threads = 0;
  int64_t context = 0;
};
Status readEngineOptions(const Arguments &arguments, EngineOptions &options);

// Sampling flags over `options`, which hold the checkpoint's. Without --seed
// the seed is random.
Status readSampling(const Arguments &arguments, SamplerOptions &options);

// The sampling flags that are numbers, with their names in JSON.
struct SamplingNumber {
  const char *flag, *field;
  double least, most;
  double SamplerOptions::*to;
};
std::span<const SamplingNumber> samplingNumbers();

// Each --stop.
Status readStops(const Arguments &arguments, std::vector<std::string> &stops);
inline constexpr Flag kStopFlag = {
    "--stop", 0, "TEXT", "end an answer before this text (repeatable)"};

// A model and an engine for it.
Status startModel(const Program &program, const EngineOptions &options,
                  Model &model, Engine &engine);

// A whole file; standard input for "-".
Result<std::string> readFile(const std::string &path);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_APP_H
