// SPDX-License-Identifier: Apache-2.0
// Restrict PROGRAM [ARGS...]: runs PROGRAM as a strict service manager would:
// the kernel kills it (SIGSYS) at its first system call that starts a program,
// makes a process, traces one, makes a file without a folder or opens a socket.
// Threads are allowed. Exits 77 where the kernel has no such filters.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

namespace {

// The one exec that is allowed names its program at this address, where the
// program itself will have nothing.
constexpr uint64_t kPath = 0x123450000;
constexpr size_t kPathSize = 4096;

sock_filter load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

// The first argument's half.
sock_filter loadArgument(bool high) {
  return load(offsetof(seccomp_data, args) + (high ? 4 : 0));
}

sock_filter answer(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Goes on where the value is this one, else passes over `count` instructions.
sock_filter unless(uint32_t value, uint8_t count) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count);
}

std::vector<sock_filter> rules() {
  const sock_filter kill = answer(SECCOMP_RET_KILL_PROCESS);
  std::vector<sock_filter> list = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      kill,
      load(offsetof(seccomp_data, nr)),
  };
  for (uint32_t call : {SYS_execveat, SYS_fork, SYS_vfork, SYS_ptrace,
                        SYS_memfd_create, SYS_socket, SYS_socketpair}) {
    list.push_back(unless(call, 1));
    list.push_back(kill);
  }
  const sock_filter rest[] = {
      // clone3's flags lie in memory: without it the C library takes clone.
      unless(SYS_clone3, 1),
      answer(SECCOMP_RET_ERRNO | ENOSYS),
      unless(SYS_clone, 3),
      loadArgument(false),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 6, 0),
      kill,
      unless(SYS_execve, 4),
      loadArgument(true),
      unless(kPath >> 32, 3),
      loadArgument(false),
      unless(kPath & 0xFFFFFFFF, 1),
      answer(SECCOMP_RET_ALLOW),
      kill,
  };
  list.insert(list.end(), std::begin(rest), std::end(rest));
  return list;
}

}  // namespace

int main(int count, char **words) {
  if (count < 2 || strlen(words[1]) >= kPathSize) {
    fputs("expected the path of a program\n", stderr);
    return 2;
  }
  void *address = reinterpret_cast<void *>(kPath);
  void *path = mmap(address, kPathSize, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (path != address) {
    perror("mmap");
    return 2;
  }
  strcpy(static_cast<char *>(path), words[1]);
  std::vector<sock_filter> list = rules();
  sock_fprog program = {static_cast<uint16_t>(list.size()), list.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("system call filters");
    return 77;
  }
  execve(static_cast<char *>(path), words + 1, environ);
  perror(words[1]);
  return 2;
}
