// SPDX-License-Identifier: Apache-2.0
// Weights from the checkpoint into the output file: each quantized.weight that
// has a packed_offset is read in pieces of a few row blocks, converted where
// its type's format is not the checkpoint's, packed and written, on many
// threads, with a few MiB of memory for each. The section's hash is made on the
// way, in order. Changes no IR; decides no format and no place.
#ifndef GEMMAC_COMPILER_PACKAGING_WEIGHTSTREAM_H
#define GEMMAC_COMPILER_PACKAGING_WEIGHTSTREAM_H

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/output/AtomicFile.h"
#include "compiler/output/Progress.h"
#include "dialects/quantized/QuantizedEnums.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::packaging {

// One tensor: where it is, what it becomes, where that goes.
struct WeightJob {
  std::string name;
  const quantized::WeightFormat *source;
  const quantized::WeightFormat *format;
  int64_t rows;  // 1 for a vector
  int64_t columns;
  quantized::Layout layout;
  // What its values go through, in order, between source and format.
  std::vector<quantized::Transform> transforms;
  size_t file;            // index into WeightPlan::sources
  uint64_t sourceOffset;  // bytes into that file
  uint64_t packedOffset;  // bytes into the weights section
  uint64_t packedBytes;
};

struct WeightPlan {
  std::vector<std::string> sources;  // paths
  std::vector<WeightJob> jobs;       // by packedOffset, apart from each other
  uint64_t sectionBytes = 0;
  std::string modelSymbol;  // kernel.model's; empty without one
};

// Reads the plan from the module: `gemma.sources`, the weights that PlanWeights
// placed, and kernel.model's symbol and weight_bytes where there is one.
llvm::Expected<WeightPlan> planWeights(mlir::ModuleOp module);

// Writes the section at `fileOffset` of `output`; padding becomes zeros.
// Returns its XXH3-64. `threads` = 0 means one a processor.
llvm::Expected<uint64_t> streamWeights(const WeightPlan &plan,
                                       output::AtomicFile &output,
                                       uint64_t fileOffset, unsigned threads,
                                       output::Progress &progress);

}  // namespace gemmac::packaging

#endif
