// SPDX-License-Identifier: Apache-2.0
// The columns that a character takes on a terminal: 0, 1 or 2. It looks at one
// character at a time and knows no sequences that join into one.
#ifndef GEMMA_RUNTIME_APP_TERMINAL_CHARACTERWIDTH_H
#define GEMMA_RUNTIME_APP_TERMINAL_CHARACTERWIDTH_H

#include <cstddef>
#include <cstdint>

namespace gemma {

size_t characterWidth(uint32_t character);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_TERMINAL_CHARACTERWIDTH_H
