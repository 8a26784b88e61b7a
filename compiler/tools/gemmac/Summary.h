// SPDX-License-Identifier: Apache-2.0
// The line that a build ends with: what stands where now. A build's result ->
// "chat: 292 MB (q8_0 170 MB, f32 0.2 MB), x86_64-avx2, 3.1 s".
#ifndef GEMMAC_COMPILER_TOOLS_GEMMAC_SUMMARY_H
#define GEMMAC_COMPILER_TOOLS_GEMMAC_SUMMARY_H

#include <string>

#include "compiler/pipeline/Pipeline.h"

namespace gemmac::driver {

// Formats are those that are stored, the largest share first. Empty where the
// output is no file.
std::string summarize(const pipeline::BuildOptions &options,
                      const pipeline::Built &built, double seconds);

}  // namespace gemmac::driver

#endif
