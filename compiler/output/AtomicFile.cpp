// SPDX-License-Identifier: Apache-2.0
// AtomicFile: temporary, fsync, rename. See AtomicFile.h.
#include "compiler/output/AtomicFile.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace llvm;

namespace gemmac::output {

Error systemError(const Twine &what, int code) {
  return createStringError(std::error_code(code, std::generic_category()),
                           what + ": " + std::strerror(code));
}

namespace {

// A file name is at most 255 bytes, and the temporary's has some around it.
constexpr size_t kMaxNamePart = 200;

std::string folderOf(StringRef path) {
  StringRef folder = sys::path::parent_path(path);
  return folder.empty() ? "." : folder.str();
}

std::string temporaryPrefix(StringRef path) {
  StringRef name = sys::path::filename(path).take_front(kMaxNamePart);
  return ("." + name + ".gemmac-").str();
}

// A link is followed, so that the file behind it is replaced and not the link.
std::string resolveLinks(StringRef path) {
  SmallString<256> real;
  if (sys::fs::is_symlink_file(path) && !sys::fs::real_path(path, real))
    return real.str().str();
  return path.str();
}

// True when no process works on this temporary: its maker is gone and with it
// the lock that it holds (a maker in another PID namespace still has that).
bool isAbandoned(const std::string &path, StringRef pidText) {
  pid_t pid = 0;
  if (pidText.getAsInteger(10, pid) || pid <= 0 || pid == getpid() ||
      kill(pid, 0) == 0 || errno != ESRCH)
    return false;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;
  close(fd);
  return free;
}

void removeAbandoned(StringRef path) {
  std::string folder = folderOf(path);
  std::string prefix = temporaryPrefix(path);
  DIR *directory = opendir(folder.c_str());
  if (!directory) return;
  while (dirent *entry = readdir(directory)) {
    StringRef rest = entry->d_name;
    if (!rest.consume_front(prefix)) continue;
    StringRef pid = rest.take_while([](char c) { return isdigit(c); });
    if (!rest.substr(pid.size()).starts_with(".tmp")) continue;
    std::string full = folder + "/" + entry->d_name;
    if (isAbandoned(full, pid)) unlink(full.c_str());
  }
  closedir(directory);
}

Error checkInput(StringRef path, const struct stat &output, StringRef input) {
  auto same = [&](const std::string &file) {
    struct stat status;
    return stat(file.c_str(), &status) == 0 && status.st_dev == output.st_dev &&
           status.st_ino == output.st_ino;
  };
  auto refuse = [&](StringRef file) {
    return createStringError("output '" + path + "' is the input file '" +
                             file + "': expected another path");
  };
  if (same(input.str())) return refuse(input);
  std::error_code ignored;
  if (sys::fs::is_directory(input))
    for (sys::fs::directory_iterator it(input, ignored), end;
         it != end && !ignored; it.increment(ignored))
      if (same(it->path())) return refuse(it->path());
  return Error::success();
}

}  // namespace

Error checkOutputPath(StringRef path, ArrayRef<std::string> inputs) {
  if (path.empty()) return createStringError("output path is empty");
  struct stat output;
  if (stat(path.str().c_str(), &output) != 0) return Error::success();
  if (S_ISDIR(output.st_mode))
    return createStringError("output '" + path +
                             "': expected a file, found a directory");
  if (!S_ISREG(output.st_mode))
    return createStringError("output '" + path +
                             "': expected a regular file, found a device, "
                             "pipe or socket");
  for (const std::string &input : inputs)
    if (Error error = checkInput(path, output, input)) return error;
  return Error::success();
}

AtomicFile &AtomicFile::operator=(AtomicFile &&other) {
  if (this == &other) return *this;
  discard();
  std::swap(target, other.target);
  std::swap(temporary, other.temporary);
  std::swap(companions, other.companions);
  std::swap(fd, other.fd);
  return *this;
}

Expected<AtomicFile> AtomicFile::create(StringRef path, unsigned mode) {
  if (Error error = checkOutputPath(path, {})) return std::move(error);
  AtomicFile file;
  file.target = resolveLinks(path);
  removeAbandoned(file.target);
  std::string temporary = folderOf(file.target) + "/" +
                          temporaryPrefix(file.target) +
                          std::to_string(getpid()) + ".tmp";
  // Registered first: a signal between the two calls finds nothing to remove.
  sys::RemoveFileOnSignal(temporary);
  unlink(temporary.c_str());  // of a dead process that had our number
  file.fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                 mode_t(mode));
  if (file.fd < 0) {
    int code = errno;
    sys::DontRemoveFileOnSignal(temporary);
    return systemError("cannot create output '" + path + "'", code);
  }
  file.temporary = temporary;
  flock(file.fd, LOCK_EX | LOCK_NB);  // seen by isAbandoned, else without use
  return std::move(file);
}

std::string AtomicFile::companion(StringRef suffix) {
  std::string name = temporary + suffix.str();
  sys::RemoveFileOnSignal(name);
  companions.push_back(name);
  return name;
}

Error AtomicFile::reserve(uint64_t bytes) {
  if (bytes == 0) return Error::success();
  // Not posix_fallocate: where the file system cannot, that writes zeros.
  if (fallocate(fd, 0, 0, off_t(bytes)) == 0) return Error::success();
  if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)
    return Error::success();
  int code = errno;
  return systemError("cannot reserve " + Twine((bytes >> 20) + 1) +
                         " MiB for output '" + target + "'",
                     code);
}

Error AtomicFile::write(ArrayRef<uint8_t> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t done = pwrite(fd, bytes.data(), bytes.size(), off_t(offset));
    if (done < 0 && errno == EINTR) continue;
    int code = done == 0 ? ENOSPC : errno;
    if (done <= 0)
      return systemError("cannot write output '" + target + "'", code);
    bytes = bytes.drop_front(size_t(done));
    offset += uint64_t(done);
  }
  return Error::success();
}

Error AtomicFile::commit() {
  auto fail = [&](StringRef what) {
    int code = errno;
    discard();
    return systemError(what + " output '" + target + "'", code);
  };
  if (fsync(fd) != 0) return fail("cannot write");
  // Closed before the rename: a program open for writing cannot be executed.
  int closing = fd;
  fd = -1;
  if (close(closing) != 0) return fail("cannot write");
  if (rename(temporary.c_str(), target.c_str()) != 0)
    return fail("cannot move the finished file to");
  sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  removeTemporaries();
  int folder = open(folderOf(target).c_str(), O_RDONLY | O_DIRECTORY);
  if (folder >= 0) {
    fsync(folder);  // some file systems refuse; the file is whole anyway
    close(folder);
  }
  return Error::success();
}

void AtomicFile::discard() {
  if (fd >= 0) close(fd);
  fd = -1;
  removeTemporaries();
}

void AtomicFile::removeTemporaries() {
  if (!temporary.empty()) companions.push_back(temporary);
  temporary.clear();
  for (const std::string &name : companions) {
    unlink(name.c_str());
    sys::DontRemoveFileOnSignal(name);
  }
  companions.clear();
}

}  // namespace gemmac::output
