// SPDX-License-Identifier: Apache-2.0
// What Gemma's text models share: a stack of layers between an embedding and a
// head, and the parts that layers are made of. An architecture's file writes
// one layer with these words; all else is here once. Input: a checkpoint.
// Output: into `module`, a `quantized.weight` for each tensor used and the
// function
//   @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>)
//       -> tensor<?xVxf32>
// Sizes are data: 270M and 27B come out of the same lines.
#ifndef GEMMAC_COMPILER_IMPORTER_MODELS_TEXTMODEL_H
#define GEMMAC_COMPILER_IMPORTER_MODELS_TEXTMODEL_H

#include "compiler/importer/Checkpoint.h"
#include "compiler/importer/models/WeightSymbols.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"

namespace gemmac::importer {

// The model as its layer's author sees it: values in, values out. Paths are
// within the layer: "mlp.up_proj". One layer is under construction at a time.
class TextModel {
 public:
  TextModel(const Checkpoint &checkpoint, mlir::ModuleOp module);

  // x [T, D] -> the residual stream behind the layer.
  using LayerBody =
      llvm::function_ref<mlir::Value(TextModel &model, mlir::Value x)>;
  // The whole function; the first failure of a weight, if any.
  llvm::Error build(LayerBody layer);

  // How the file names tensors: as GGUF does, or as Hugging Face.
  bool isGguf() const { return checkpoint.isGguf; }

  mlir::Value norm(mlir::Value x, const char *path);
  mlir::Value add(mlir::Value x, mlir::Value y);
  // o(attention(rope(q(h)), rope(k(h)), v(h))), by the layer's kind. With
  // `normsHeads`, q and k pass a norm over each head before the rope.
  mlir::Value attention(mlir::Value h, bool normsHeads);
  // down(geglu(gate(h), up(h)))
  mlir::Value gatedMlp(mlir::Value h);

 private:
  mlir::RankedTensorType rows(int64_t columns);
  std::string inLayer(const char *path) const;
  // Ops of the part `path` until the next call.
  void at(const llvm::Twine &path) { loc = weights.location(path); }
  mlir::Value norm(mlir::Value x, const std::string &path, int64_t gains);
  mlir::Value linear(mlir::Value x, const std::string &path, int64_t out);
  mlir::Value softcap(mlir::Value x, double cap);
  mlir::Value angles(mlir::Value positions, double theta, double factor);
  mlir::Value scores(mlir::Value q, mlir::Value k);
  mlir::Value layer(LayerBody body, mlir::Value x, mlir::Value positions,
                    mlir::Value angles);
  mlir::Value head(mlir::Value x);

  const Checkpoint &checkpoint;
  const ModelConfig &config;
  WeightSymbols weights;
  mlir::OpBuilder builder;
  mlir::Location loc;
  // Of the layer under construction.
  int64_t index = 0;
  mlir::Value layerPositions, layerAngles;
};

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_MODELS_TEXTMODEL_H
