// SPDX-License-Identifier: Apache-2.0
// The commands of gemmac. Each adds itself to the command line and says, once
// it was chosen, what the process's exit code is.
#ifndef GEMMAC_COMPILER_TOOLS_GEMMAC_COMMANDS_H
#define GEMMAC_COMPILER_TOOLS_GEMMAC_COMMANDS_H

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace gemmac::driver {

enum ExitCode {
  kDone = 0,
  kWrongInput = 1,
  kWrongUsage = 2,
  kWrongMachine = 3
};

using Action = std::function<int()>;

// Each sets `chosen` when the command line names it.
void addBuild(CLI::App &app, Action &chosen);
void addInspect(CLI::App &app, Action &chosen);
void addTargets(CLI::App &app, Action &chosen);

// One line on stderr. All errors of the driver end here, so that a wrong input
// gives exactly one line that starts with "error:"; what follows are notes.
void printError(const std::string &message);
void printNote(const std::string &message);

// <folder of gemmac>/../lib/gemmac: the parts of executables.
std::string libraryFolder();

}  // namespace gemmac::driver

#endif
