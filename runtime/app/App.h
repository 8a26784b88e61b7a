// SPDX-License-Identifier: Apache-2.0
// The compiled executable's command line: words -> a command -> an exit code. A
// command is a file of commands/ that defines its Command, and a row of the
// table in App.cpp; an App is what one run of it works with. Results go to
// stdout, a failure is one line on stderr, "error: …".
#ifndef GEMMA_RUNTIME_APP_APP_H
#define GEMMA_RUNTIME_APP_APP_H

#include <span>
#include <string>

#include "runtime/app/Arguments.h"
#include "runtime/model/Engine.h"
#include "runtime/model/Model.h"

namespace gemma {

// Where the program's code and data come from; a test gives its own.
struct Program {
  const gemma_model_code *code;
  const char *path;  // of the container
};

using Words = std::span<const char *const>;

// Returns the exit code (Status.h).
int runApp(const Program &program, Words words);

class App;

struct Command {
  // The flags that several commands have: -t and -c; those and the sampler's.
  enum class Shared { None, Engine, Sampling };

  const char *name;
  const char *summary;  // what help shows behind the name
  std::span<const Flag> flags;
  Shared shared;
  // Flags are known by then; their values a command checks before it works.
  Status (*run)(App &app);
};

extern const Command kChatCommand, kGenerateCommand, kEvalCommand,
    kBenchCommand, kInfoCommand;

class App {
 public:
  explicit App(const Program &program) : program(program) {}

  // Parses the command's words and its shared flags. Every failure is one of
  // usage.
  Status parse(const Command &command, Words words);

  // Opens the model. `prefault`: its weights will be read soon.
  Status openModel(bool prefault);
  // Opens the model and starts the engine, as -t and -c say.
  Status start();

  Arguments arguments;
  Model model;
  Engine engine;
  int32_t context = 0;  // -c; 0: the model's

 private:
  const Program &program;
  int64_t threads = 0;  // -t; 0: as many as are worth it
};

// Prints "error: …" for a failure that nobody has told.
void report(const Status &status);

// A whole file; standard input for "-".
Result<std::string> readFile(const std::string &path);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_APP_H
