// SPDX-License-Identifier: Apache-2.0
// Printing of diagnostics. See Diagnostics.h. MLIR calls handlers one at a
// time, also from threads.
#include "compiler/tools/gemmac/Diagnostics.h"

#include "compiler/tools/gemmac/Commands.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/Location.h"

using namespace mlir;

namespace gemmac::driver {

void printError(const std::string &message) {
  llvm::errs() << "error: " << message << "\n";
}

void printNote(const std::string &message) {
  llvm::errs() << "note: " << message << "\n";
}

// "model.layers.3.mlp: " or "stage.mlir:4:7: " in front of a message.
static std::string describe(Location location) {
  std::string place;
  llvm::raw_string_ostream stream(place);
  if (auto name = location->findInstanceOf<NameLoc>()) {
    if (!name.getName().strref().empty()) stream << name.getName().strref();
  } else if (auto file = location->findInstanceOf<FileLineColLoc>()) {
    stream << file.getFilename().strref() << ":" << file.getLine() << ":"
           << file.getColumn();
  }
  return place.empty() ? place : place + ": ";
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context,
                                     output::Progress &progress, bool isVerbose)
    : ScopedDiagnosticHandler(&context),
      progress(progress),
      isVerbose(isVerbose) {
  setHandler([this](Diagnostic &diagnostic) { print(diagnostic); });
}

void DiagnosticPrinter::print(Diagnostic &diagnostic) {
  std::string text = describe(diagnostic.getLocation()) + diagnostic.str();
  progress.clearLine();
  switch (diagnostic.getSeverity()) {
    case DiagnosticSeverity::Error:
      ++errors == 1 ? printError(text) : printNote(text);
      break;
    case DiagnosticSeverity::Warning:
      llvm::errs() << "warning: " << text << "\n";
      break;
    case DiagnosticSeverity::Remark:
      if (!isVerbose) return;
      llvm::errs() << "remark: " << text << "\n";
      break;
    case DiagnosticSeverity::Note:
      printNote(text);
      break;
  }
  // Where in the IR an op stands is for who works on the compiler.
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string said = note.str();
    if (isVerbose || !StringRef(said).starts_with("see current operation"))
      printNote(describe(note.getLocation()) + said);
  }
}

}  // namespace gemmac::driver
