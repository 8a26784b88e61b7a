// SPDX-License-Identifier: Apache-2.0
// A weight of the module as the reference interpreter reads it: rows of the
// checkpoint file, brought to the format that the module's type asks for.
// quantized.weight + `gemma.sources` -> f32 rows (float ops) or super-blocks of
// codes (matmul). Reads no packed file; keeps nothing decoded.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_WEIGHT_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_WEIGHT_H

#include <memory>
#include <vector>

#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/Support/MemoryBuffer.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::reference {

class Weight {
 public:
  int64_t rows() const { return rowCount; }
  int64_t columns() const { return columnCount; }
  const quantized::WeightFormat &format() const { return *target; }

  // Row `row` in the layout of format(); valid until the next call with the
  // same `storage`.
  const uint8_t *readRow(int64_t row, std::vector<uint8_t> &storage) const;
  // Row `row` as decodeReference of format() sees it.
  void decodeRow(int64_t row, std::vector<float> &values) const;

 private:
  friend class WeightFiles;
  const uint8_t *bytes;
  int64_t rowCount;
  int64_t columnCount;
  const quantized::WeightFormat *source;
  const quantized::WeightFormat *target;
};

// The files of `gemma.sources`, mapped on first use.
class WeightFiles {
 public:
  explicit WeightFiles(mlir::ModuleOp module) : module(module) {}
  mlir::FailureOr<Weight> open(quantized::WeightOp op);

 private:
  mlir::FailureOr<llvm::StringRef> contents(quantized::WeightOp op);

  mlir::ModuleOp module;
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> files;
};

}  // namespace gemmac::reference

#endif
