// SPDX-License-Identifier: Apache-2.0
// How many threads are worth starting: the affinity mask and a cgroup's CPU
// quota (versions 2 and 1). Reads /proc and /sys; a file that is not there
// limits nothing. Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "runtime/model/ThreadPool.h"

namespace gemma {
namespace {

std::string readSmallFile(const std::string &path) {
  char buffer[4096];
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  ssize_t count = read(file, buffer, sizeof(buffer));
  close(file);
  return count > 0 ? std::string(buffer, count) : std::string();
}

int affinityCount() {
  // 8192 processors; a fixed cpu_set_t fails on machines with more than 1024.
  cpu_set_t sets[8];
  memset(sets, 0, sizeof(sets));
  if (sched_getaffinity(0, sizeof(sets), sets) != 0) return 1;
  return std::max(1, CPU_COUNT_S(sizeof(sets), sets));
}

// Whole processors of "quota period", rounded up; 0: no limit.
int quotaCount(const std::string &text) {
  long long quota = 0, period = 0;
  if (sscanf(text.c_str(), "%lld %lld", &quota, &period) != 2) return 0;
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<long long>(ThreadPool::kMaxThreads,
                                              (quota + period - 1) / period));
}

// The path of this process's cgroup of the unified hierarchy, "" for its root.
std::string cgroupPath() {
  std::string text = readSmallFile("/proc/self/cgroup");
  size_t at = text.rfind("0::", 0) == 0 ? 0 : text.find("\n0::");
  if (at == std::string::npos) return {};
  at = text.find("::", at) + 2;
  std::string path = text.substr(at, text.find('\n', at) - at);
  return path == "/" ? std::string() : path;
}

}  // namespace

int defaultThreadCount() {
  int count = affinityCount();
  auto limit = [&count](int quota) {
    if (quota > 0) count = std::min(count, quota);
  };
  // A limit may stand at any level above; inside a container the path of
  // another namespace does not exist, and only the root is seen.
  for (std::string path = cgroupPath();;) {
    limit(quotaCount(readSmallFile("/sys/fs/cgroup" + path + "/cpu.max")));
    if (path.empty()) break;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  limit(quotaCount(readSmallFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") + " " +
                   readSmallFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us")));
  return std::clamp(count, 1, ThreadPool::kMaxThreads);
}

}  // namespace gemma
