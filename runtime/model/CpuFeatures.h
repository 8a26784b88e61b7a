// SPDX-License-Identifier: Apache-2.0
// Which GEMMA_CPU_* features this machine has and the operating system lets
// programs use, from CPUID and XCR0 alone: callable before the C library has
// started. It never decides anything by a processor's name.
// Source: Intel SDM vol. 2 (CPUID), vol. 1 chapter 13 (XSAVE).
#ifndef GEMMA_RUNTIME_MODEL_CPU_FEATURES_H
#define GEMMA_RUNTIME_MODEL_CPU_FEATURES_H

#include <cstddef>
#include <cstdint>

namespace gemma {

// The GEMMA_CPU_* bits that this machine has.
uint64_t availableCpuFeatures();

// The bits of `needed` that this machine lacks; bits that this runtime does not
// know count as lacking. Asks the system for what needs its permission (AMX),
// for the whole process: call it before there are threads.
uint64_t missingCpuFeatures(uint64_t needed);

// Writes one line, "TARGET: this program needs …", of at most `size` bytes with
// its newline and no terminating zero, and returns its length.
size_t describeMissing(const char *target, uint64_t missing, char *line,
                       size_t size);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_CPU_FEATURES_H
