// SPDX-License-Identifier: Apache-2.0
// The other program gets the ids as its standard input and a pipe as its
// --logits file. It must not see GEMMAC_* variables, which are meant for this
// one (GEMMAC_REFERENCE would start a third).
#include "runtime/app/evaluation/Reference.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "runtime/app/evaluation/NpyFile.h"

namespace gemma {
namespace {

Status systemError(const std::string &name, const char *what, int code) {
  return Status(Code::Io, name + ": " + what + ": " + strerror(code));
}

// A file in memory, at its start. -1: errno says why.
int makeInput(std::span<const int32_t> ids) {
  std::string text = "[";
  for (int32_t id : ids) text += std::to_string(id) + ",";
  text.back() = ']';
  int file = memfd_create("ids", MFD_CLOEXEC);
  if (file < 0) return -1;
  for (std::string_view rest = text; !rest.empty();) {
    ssize_t count = write(file, rest.data(), rest.size());
    if (count < 0) {
      close(file);
      return -1;
    }
    rest.remove_prefix(count);
  }
  lseek(file, 0, SEEK_SET);
  return file;
}

}  // namespace

Reference::~Reference() { close(); }

Status Reference::open(const std::string &path) {
  FILE *opened = fopen(path.c_str(), "rbe");
  if (opened == nullptr) return systemError(path, "cannot be opened", errno);
  char start[6] = {};
  size_t count = fread(start, 1, sizeof(start), opened);
  fclose(opened);
  file = count == sizeof(start) && memcmp(start, "\x93NUMPY", count) == 0;
  if (!file && access(path.c_str(), X_OK) != 0)
    return Status(Code::InvalidInput,
                  path +
                      ": expected a .npy file or an executable, found "
                      "another file");
  // A name without a slash is no command to look for.
  name = path.find('/') == std::string::npos ? "./" + path : path;
  return {};
}

Status Reference::begin(std::span<const int32_t> ids, int64_t columns,
                        int threads) {
  close();
  if (file) {
    rows = fopen(name.c_str(), "rbe");
    if (rows == nullptr) return systemError(name, "cannot be opened", errno);
  } else {
    Status status = start(ids, threads);
    if (!status.ok()) return status;
  }
  Result<NpyShape> found = readNpyHeader(rows);
  if (!found.ok()) {
    Status failure = ended();
    return failure.ok() ? found.status().in(name) : failure;
  }
  auto shape = [](int64_t rows, int64_t columns) {
    return std::to_string(rows) + " rows of " + std::to_string(columns) +
           " logits";
  };
  auto count = static_cast<int64_t>(ids.size());
  if (found->rows != count || found->columns != columns)
    return Status(Code::InvalidInput, name + ": expected " +
                                          shape(count, columns) + ", found " +
                                          shape(found->rows, found->columns));
  return {};
}

Status Reference::start(std::span<const int32_t> ids, int threads) {
  int ends[2], input = makeInput(ids);
  if (input < 0) return systemError(name, "cannot be started", errno);
  if (pipe2(ends, O_CLOEXEC) != 0) {
    int code = errno;
    ::close(input);
    return systemError(name, "cannot be started", code);
  }
  std::string count = std::to_string(threads);
  const char *words[] = {
      name.c_str(),  "eval",     "--tokens",        "-",    "-t",
      count.c_str(), "--logits", "/proc/self/fd/3", nullptr};
  std::vector<char *> environment;
  for (char **variable = environ; *variable != nullptr; ++variable)
    if (strncmp(*variable, "GEMMAC_", 7) != 0) environment.push_back(*variable);
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
  int code = posix_spawn(&child, name.c_str(), &actions, nullptr,
                         const_cast<char **>(words), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(input);
  ::close(ends[1]);
  rows = fdopen(ends[0], "rb");
  if (code == 0) return {};
  child = -1;
  return systemError(name, "cannot be started", code);
}

Status Reference::read(std::span<float> row) {
  if (fread(row.data(), sizeof(float), row.size(), rows) == row.size())
    return {};
  Status failure = ended();
  return failure.ok()
             ? Status(Code::InvalidInput, name +
                                              ": expected more logits, found "
                                              "the end")
             : failure;
}

Status Reference::end() { return ended(); }

// Waits for the program, if there is one.
Status Reference::ended() {
  if (rows != nullptr) fclose(rows);
  rows = nullptr;
  if (child < 0) return {};
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  child = -1;
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return {};
  return Status(
      Code::InvalidInput,
      name + ": expected it to evaluate the tokens, found " +
          (WIFEXITED(state) ? "exit code " + std::to_string(WEXITSTATUS(state))
                            : "signal " + std::to_string(WTERMSIG(state))));
}

void Reference::close() {
  Status unused = ended();
  (void)unused;
}

}  // namespace gemma
