// SPDX-License-Identifier: Apache-2.0
// CPUID and XCR0 against GEMMA_CPU_*. No C library call, no heap, no static
// constructor: the start-up check runs this before main and before libc's own
// initialisers.
#include "runtime/model/CpuFeatures.h"

#include "runtime/include/gemma/ModelAbi.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace gemma {
namespace {

struct Feature {
  uint64_t bit;
  const char *text;
};

constexpr Feature kFeatures[] = {
    {GEMMA_CPU_AVX2_FMA_F16C_BMI, "AVX2, FMA, F16C and BMI (x86-64-v3)"},
    {GEMMA_CPU_AVX512_CORE, "AVX-512 F, BW, DQ and VL"},
    {GEMMA_CPU_AVX512_VNNI, "AVX-512 VNNI"},
    {GEMMA_CPU_AMX_INT8, "AMX INT8, or the system does not permit it"},
};

#if defined(__x86_64__)
constexpr bool hasAll(uint32_t value, uint32_t bits) {
  return (value & bits) == bits;
}

uint64_t readXcr0() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

// Linux keeps AMX's tiles shut until a process asks for them.
bool systemOpensAmx() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_arch_prctl), "D"(kRequestPermission),
                     "S"(kTileData)
                   : "rcx", "r11", "memory");
  return result == 0;
}
#endif

}  // namespace

uint64_t availableCpuFeatures() {
  uint64_t found = 0;
#if defined(__x86_64__)
  unsigned a, b, c, d, b7 = 0, c7 = 0, d7 = 0, cExtended = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  unsigned unused;
  __get_cpuid_count(7, 0, &a, &b7, &c7, &d7);
  __get_cpuid(0x80000001u, &a, &b, &cExtended, &unused);
  constexpr uint32_t kOsXsave = 1u << 27;
  if (!hasAll(c, kOsXsave)) return 0;
  uint64_t state = readXcr0();
  // SSE and AVX state; then also the three parts of AVX-512's.
  bool ymm = (state & 0x6) == 0x6, zmm = (state & 0xE6) == 0xE6;
  constexpr uint32_t kTileState = 3u << 17;  // configuration and data
  // FMA, MOVBE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT.
  bool v3 = hasAll(c, 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29) &&
            hasAll(b7, 1u << 3 | 1u << 5 | 1u << 8) &&
            hasAll(cExtended, 1u << 5);
  if (ymm && v3) found |= GEMMA_CPU_AVX2_FMA_F16C_BMI;
  // F, DQ, BW, VL.
  if (zmm && hasAll(b7, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31))
    found |= GEMMA_CPU_AVX512_CORE;
  if (zmm && hasAll(c7, 1u << 11)) found |= GEMMA_CPU_AVX512_VNNI;
  // TILE, INT8.
  if (hasAll(static_cast<uint32_t>(state), kTileState) &&
      hasAll(d7, 1u << 24 | 1u << 25))
    found |= GEMMA_CPU_AMX_INT8;
#endif
  return found;
}

uint64_t missingCpuFeatures(uint64_t needed) {
  uint64_t missing = needed & ~availableCpuFeatures();
#if defined(__x86_64__)
  if ((needed & ~missing & GEMMA_CPU_AMX_INT8) && !systemOpensAmx())
    missing |= GEMMA_CPU_AMX_INT8;
#endif
  return missing;
}

size_t describeMissing(const char *target, uint64_t missing, char *line,
                       size_t size) {
  size_t at = 0;
  auto put = [&](const char *text) {
    for (; *text != '\0' && at + 1 < size; ++text) line[at++] = *text;
  };
  put("error: this program was built for ");
  put(target);
  put(" and this processor lacks ");
  bool first = true;
  for (const Feature &feature : kFeatures) {
    if ((missing & feature.bit) == 0) continue;
    put(first ? "" : "; ");
    put(feature.text);
    missing &= ~feature.bit;
    first = false;
  }
  if (missing != 0) put(first ? "a feature that it needs" : "; and more");
  if (size > 0) line[at++] = '\n';
  return at;
}

}  // namespace gemma
