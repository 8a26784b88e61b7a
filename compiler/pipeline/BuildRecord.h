// The metadata section: what the importer knows about the model, extended by
// how it was built. JSON -> JSON. Same build, same text: no time, no path.
#ifndef GEMMAC_COMPILER_PIPELINE_BUILDRECORD_H
#define GEMMAC_COMPILER_PIPELINE_BUILDRECORD_H

#include <string>

#include "compiler/packaging/WeightStream.h"
#include "compiler/pipeline/Pipeline.h"
#include "llvm/Support/Error.h"

namespace gemmac::pipeline {

// `target` is the resolved name ("x86_64-avx2"), never "native".
llvm::Expected<std::string> extendMetadata(const std::string &metadata,
                                           const BuildOptions &options,
                                           llvm::StringRef target,
                                           const packaging::WeightPlan &plan);

}  // namespace gemmac::pipeline

#endif
