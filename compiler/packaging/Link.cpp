// SPDX-License-Identifier: Apache-2.0
// The in-process link. See Link.h.
#include "compiler/packaging/Link.h"

#include <cerrno>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace gemmac::packaging {

namespace {

Error missing(StringRef sysroot, StringRef name) {
  return createStringError("expected '" + name + "' in '" + sysroot +
                           "', found none: this gemmac is not completely "
                           "installed");
}

// "ld.lld: error: x\n>>> y" -> "x; y": one line for the one `error:` line.
std::string flatten(StringRef text) {
  std::string flat;
  SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    line.consume_front("ld.lld: ");
    line.consume_front("error: ");
    line.consume_front(">>> ");
    flat += (flat.empty() ? "" : "; ") + line.trim().str();
  }
  return flat;
}

// Where LLD writes the program: a pipe that a thread empties. LLD maps a file
// that it writes, and on a full disk a store into a map is a SIGBUS; a pipe it
// writes from memory.
class ProgramPipe {
 public:
  ProgramPipe() {
    if (pipe2(ends, O_CLOEXEC) == 0)
      reader = std::thread([this] { readAll(); });
  }
  ~ProgramPipe() { finish(); }
  ProgramPipe(const ProgramPipe &) = delete;

  bool isOpen() const { return reader.joinable(); }
  std::string path() const {
    return "/proc/self/fd/" + std::to_string(ends[1]);
  }

  // All that was written, once nobody writes any more.
  std::vector<uint8_t> finish() {
    if (isOpen()) {
      close(ends[1]);
      reader.join();
      close(ends[0]);
    }
    return std::move(bytes);
  }

 private:
  void readAll() {
    uint8_t block[1 << 16];
    ssize_t count;
    while ((count = read(ends[0], block, sizeof(block))) != 0) {
      if (count < 0 && errno != EINTR) break;
      if (count > 0) bytes.insert(bytes.end(), block, block + count);
    }
  }

  int ends[2] = {-1, -1};
  std::vector<uint8_t> bytes;
  std::thread reader;
};

}  // namespace

Expected<LinkCommand> linkCommand(const LinkOptions &options) {
  const targets::Architecture &architecture = *options.architecture;
  LinkCommand command;
  // Position-independent, for address space randomisation; what relocation
  // writes is read-only afterwards (relro). No build id and no time stamp: the
  // same input gives the same bytes.
  constexpr StringRef kFlags =
      "ld.lld -static -pie --no-dynamic-linker -z text -z relro -z now "
      "-z noexecstack --gc-sections --eh-frame-hdr --build-id=none";
  for (StringRef flag : split(kFlags, ' '))
    command.before.push_back(flag.str());
  command.before.insert(command.before.end(),
                        {"-m", architecture.emulation.str()});
  command.before.push_back("--defsym=gemma_model=" + options.modelSymbol);
  if (!options.keepSymbols) command.before.push_back("-s");
  std::string sysroot = options.library + "/" + architecture.name.str();
  Error error = Error::success();
  auto add = [&](std::vector<std::string> &list, StringRef name) {
    SmallString<256> path(sysroot);
    sys::path::append(path, name);
    if (!error && !sys::fs::exists(path)) error = missing(sysroot, name);
    list.push_back(path.str().str());
  };
  for (StringRef name : architecture.startFiles) add(command.before, name);
  // An object and not in an archive: what stands only in .preinit_array is
  // never asked for, and an archive's member would be left out.
  add(command.after, "cpu-check.o");
  for (StringRef name : {"libgemma_app.a", "libgemma_runtime.a",
                         "libgemma_tokenizer.a", "libsentencepiece_lite.a"})
    add(command.after, name);
  command.after.push_back("--start-group");
  for (StringRef name : architecture.systemArchives) add(command.after, name);
  command.after.push_back("--end-group");
  for (StringRef name : architecture.endFiles) add(command.after, name);
  if (error) return std::move(error);
  return command;
}

Expected<std::vector<uint8_t>> linkProgram(const LinkCommand &command,
                                           ArrayRef<char> object,
                                           output::AtomicFile &output) {
  std::string objectPath = output.companion(".o");
  std::error_code code;
  raw_fd_ostream objectFile(objectPath, code);
  if (!code) {
    objectFile.write(object.data(), object.size());
    objectFile.close();
    code = objectFile.error();
    objectFile.clear_error();
  }
  if (code)
    return output::systemError("cannot write '" + objectPath + "'",
                               code.value());

  ProgramPipe program;
  if (!program.isOpen())
    return output::systemError("cannot make a pipe", errno);
  std::string programPath = program.path();
  std::vector<const char *> arguments;
  for (const std::string &text : command.before)
    arguments.push_back(text.c_str());
  arguments.insert(arguments.end(),
                   {objectPath.c_str(), "-o", programPath.c_str()});
  for (const std::string &text : command.after)
    arguments.push_back(text.c_str());
  std::string said;
  raw_string_ostream stream(said);
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return createStringError("cannot link: " + flatten(said));

  return program.finish();
}

}  // namespace gemmac::packaging
