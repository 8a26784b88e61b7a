// SPDX-License-Identifier: Apache-2.0
// gemmac: the command line. Words -> a command -> an exit code: 0 done, 1 the
// input is wrong or unsupported, 2 wrong usage, 3 the wrong machine. Does no
// work itself; one file a command.
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <sstream>

#include <unistd.h>

#include "compiler/tools/gemmac/Commands.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

namespace gemmac::driver {

std::string libraryFolder() {
  std::error_code ignored;
  auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path().parent_path() / "lib" / "gemmac").string();
}

// LLVM's way to give up: an instruction that a --mattr took away, say.
static void onFatalError(void *, const char *reason, bool) {
  printError(std::string("the code generator gave up: ") + reason);
  llvm::sys::RunInterruptHandlers();  // removes temporary files
  _exit(kWrongInput);
}

// CLI11 says what is wrong over several lines; ours is one line and a hint.
static int reportUsage(const CLI::App &app, const CLI::ParseError &error) {
  if (error.get_exit_code() == 0) {  // --help, --version
    std::ostringstream text;
    app.exit(error, text, text);
    llvm::outs() << text.str();
    return kDone;
  }
  std::string message = error.what();
  for (char &c : message)
    if (c == '\n') c = ' ';
  printError(message);
  printNote("gemmac --help and gemmac build --help list what there is");
  return kWrongUsage;
}

static int run(int argc, char **argv) {
  CLI::App app("gemmac compiles a Gemma checkpoint to one executable",
               "gemmac");
  app.set_version_flag("--version", "gemmac " GEMMAC_VERSION);
  app.require_subcommand(0, 1);
  Action chosen;
  addBuild(app, chosen);
  addInspect(app, chosen);
  addTargets(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return reportUsage(app, error);
  }
  if (chosen) return chosen();
  printError("expected a command (build, inspect or targets), found none");
  return kWrongUsage;
}

// A full disk or a closed pipe behind standard output is a failure too.
static int flushOutput(int code) {
  llvm::outs().flush();
  std::error_code error = llvm::outs().error();
  if (!error) return code;
  llvm::outs().clear_error();
  if (code != kDone) return code;
  printError("cannot write standard output: " + error.message());
  return kWrongInput;
}

}  // namespace gemmac::driver

int main(int argc, char **argv) {
  using namespace gemmac::driver;
  // A file over the limit is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::install_fatal_error_handler(onFatalError);
  try {
    return flushOutput(run(argc, argv));
  } catch (const std::bad_alloc &) {
    printError("out of memory");
  } catch (const std::exception &error) {
    printError(std::string("unexpected: ") + error.what());
  }
  return kWrongInput;
}
