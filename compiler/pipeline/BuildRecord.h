// SPDX-License-Identifier: Apache-2.0
// The metadata section: what the importer knows about the model, extended by
// how it was built. JSON -> JSON. Same build, same text: no time, no path.
#ifndef GEMMAC_COMPILER_PIPELINE_BUILDRECORD_H
#define GEMMAC_COMPILER_PIPELINE_BUILDRECORD_H

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "compiler/packaging/WeightStream.h"
#include "compiler/pipeline/BuildOptions.h"
#include "llvm/Support/Error.h"

namespace gemmac::pipeline {

// `target` is the resolved name ("x86_64-avx2"), never "native"; `phases` are
// recordPhases'.
llvm::Expected<std::string> extendMetadata(
    const std::string &metadata, const BuildOptions &options,
    llvm::StringRef target, const packaging::WeightPlan &plan,
    const nlohmann::ordered_json &phases);

}  // namespace gemmac::pipeline

#endif
