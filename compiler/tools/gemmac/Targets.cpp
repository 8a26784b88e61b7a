// SPDX-License-Identifier: Apache-2.0
// gemmac targets: what --target accepts, and which one this machine is.
#include "compiler/tools/gemmac/Commands.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "targets/Target.h"

namespace gemmac::driver {

static int listTargets() {
  std::string ignored;
  const targets::Target *native = targets::lookupTarget("native", ignored);
  for (const targets::Target *target : targets::allTargets())
    llvm::outs() << (target == native ? "* " : "  ")
                 << llvm::left_justify(target->name(), 16)
                 << target->description()
                 << (target->runsHere() ? "" : " (not on this machine)")
                 << "\n";
  llvm::outs() << "\n* is --target native here; this processor is "
               << llvm::sys::getHostCPUName() << " to --cpu\n";
  return kDone;
}

void addTargets(CLI::App &app, Action &chosen) {
  CLI::App *command = app.add_subcommand(
      "targets", "Lists the targets and says which one this machine is");
  command->callback([&] { chosen = listTargets; });
}

}  // namespace gemmac::driver
