// SPDX-License-Identifier: Apache-2.0
// The start-up check of an executable: on a processor that lacks what
// gemma_model needs, one line on stderr and exit code 3, before anything wide
// runs. An entry of .preinit_array, so this must be linked as an object: inside
// an archive a linker would silently leave it out. No C library call.
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "runtime/include/gemma/ModelAbi.h"
#include "runtime/model/CpuFeatures.h"
#include "runtime/model/Status.h"

extern "C" const gemma_model_code gemma_model;

namespace {

long callSystem(long number, long first, long second, long third) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = first;
  register long x1 __asm__("x1") = second;
  register long x2 __asm__("x2") = third;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
#endif
}

void checkCpu(int, char **, char **) {
  uint64_t missing = gemma::missingCpuFeatures(gemma_model.cpu_features);
  if (missing == 0) return;
  char line[256];
  size_t length =
      gemma::describeMissing(gemma_model.target, missing, line, sizeof(line));
  callSystem(SYS_write, 2, reinterpret_cast<long>(line),
             static_cast<long>(length));
  callSystem(SYS_exit_group, gemma::exitCode(gemma::Code::WrongMachine), 0, 0);
}

}  // namespace

__attribute__((section(".preinit_array"),
               used)) void (*gemma_cpu_check)(int, char **, char **) = checkCpu;
