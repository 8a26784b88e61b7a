// SPDX-License-Identifier: Apache-2.0
// The weights of a module under construction: looks a tensor up by path, checks
// its shape and format, declares its `quantized.weight` once, and references
// it. Keeps the first failure, so that a model's graph reads as straight lines;
// after a failure it hands out references of the expected type, and the module
// is thrown away. Shared by all files of models/.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_WEIGHTSYMBOLS_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_WEIGHTSYMBOLS_H

#include <map>
#include <set>

#include "compiler/importer/Checkpoint.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::importer {

class WeightSymbols {
 public:
  WeightSymbols(const Checkpoint &checkpoint, mlir::ModuleOp module);

  // A quantized.reference to the tensor, made by `builder` at the tensor's own
  // location: its name in the file without ".weight".
  mlir::Value reference(mlir::OpBuilder &builder, const llvm::Twine &path,
                        llvm::ArrayRef<int64_t> shape);

  // The location of a part of the model: its name in the file.
  mlir::Location location(const llvm::Twine &path);

  // The first failure; else, of the tensors that nothing referenced, one that
  // would change the graph.
  llvm::Error takeError() const;

 private:
  const CheckpointTensor *lookup(llvm::StringRef path,
                                 llvm::ArrayRef<int64_t> shape);
  std::string fileName(llvm::StringRef path) const;
  void fail(const CheckpointTensor *tensor, const llvm::Twine &message);

  const Checkpoint &checkpoint;
  std::map<std::string, const CheckpointTensor *, std::less<>> tensors;
  std::string prefix;  // of a Hugging Face checkpoint's names
  mlir::OpBuilder declarations;
  std::set<std::string> declared;
  std::string refusal;
};

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_WEIGHTSYMBOLS_H
