// SPDX-License-Identifier: Apache-2.0
// See SourceFiles.h.
#include "compiler/packaging/SourceFiles.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

using namespace llvm;

namespace gemmac::packaging {

SourceFiles::~SourceFiles() {
  for (int fd : descriptors) close(fd);
}

Error SourceFiles::open(ArrayRef<std::string> paths) {
  for (const std::string &path : paths) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    int code = errno;
    if (fd < 0) return output::systemError("cannot open '" + path + "'", code);
    descriptors.push_back(fd);
  }
  return Error::success();
}

Error SourceFiles::read(const WeightPlan &plan, const WeightJob &job,
                        uint64_t offset, MutableArrayRef<uint8_t> bytes) const {
  int fd = descriptors[job.file];
  uint64_t start = offset;
  size_t wanted = bytes.size();
  while (!bytes.empty()) {
    ssize_t done = pread(fd, bytes.data(), bytes.size(), off_t(offset));
    if (done < 0 && errno == EINTR) continue;
    int code = errno;
    std::string where = "tensor '" + job.name + "': cannot read '" +
                        plan.sources[job.file] + "'";
    if (done < 0) return output::systemError(where, code);
    if (done == 0)
      return createStringError(Twine(where) + ": expected " + Twine(wanted) +
                               " bytes at " + Twine(start) +
                               ", found the end of the file after " +
                               Twine(offset - start));
    bytes = bytes.drop_front(size_t(done));
    offset += uint64_t(done);
  }
  posix_fadvise(fd, off_t(start), off_t(wanted), POSIX_FADV_DONTNEED);
  return Error::success();
}

}  // namespace gemmac::packaging
