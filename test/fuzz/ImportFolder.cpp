// SPDX-License-Identifier: Apache-2.0
// The folder and the import; see the header.
#include "test/fuzz/ImportFolder.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "compiler/importer/Importer.h"
#include "mlir/IR/MLIRContext.h"

namespace gemmac::fuzz {

namespace fs = std::filesystem;

static void check(bool good, const char *what) {
  if (good) return;
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

// What a terminal acts on must not come out of a file.
static void checkMessage(const std::string &message) {
  check(!message.empty(), "an error without words");
  for (unsigned char c : message)
    check(c >= 0x20 && c != 0x7F, "an error that is no single line");
}

ImportFolder::ImportFolder() {
  std::string name = fs::exists("/dev/shm") ? "/dev/shm" : "/tmp";
  name += "/gemmac-fuzz-XXXXXX";
  check(mkdtemp(name.data()) != nullptr, "no temporary folder");
  path = name;
}

ImportFolder::~ImportFolder() {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

void ImportFolder::write(const std::string &name, std::string_view bytes,
                         uint64_t size) {
  std::string file = path + "/" + name;
  int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  bool good = ::write(fd, bytes.data(), bytes.size()) == ssize_t(bytes.size());
  if (size > bytes.size()) good = good && ftruncate(fd, off_t(size)) == 0;
  check(fd >= 0 && good, "cannot write a temporary file");
  close(fd);
}

void ImportFolder::remove(const std::string &name) {
  unlink((path + "/" + name).c_str());
}

void ImportFolder::import(const std::string &name) {
  std::string file = name.empty() ? path : path + "/" + name;
  auto checkpoint = importer::readCheckpoint(file);
  if (!checkpoint) return checkMessage(toString(checkpoint.takeError()));
  for (const auto &[key, value] : checkpoint->settings)
    checkMessage("key " + key + " value " + value);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  // An op that does not verify is a finding: checks come before the graph.
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    std::fprintf(stderr, "%s\n", diagnostic.str().c_str());
    check(diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error,
          "the graph does not verify");
  });
  auto model = importer::importModel(std::move(*checkpoint), context);
  if (!model) checkMessage(toString(model.takeError()));
}

}  // namespace gemmac::fuzz
