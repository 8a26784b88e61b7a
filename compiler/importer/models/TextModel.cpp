// SPDX-License-Identifier: Apache-2.0
// The parts as ops of the gemma dialect; see the header. Ops stand at the
// location of the part they belong to, by its name in the file.
#include "compiler/importer/models/TextModel.h"

#include <cmath>

#include "dialects/gemma/Gemma.h"
#include "llvm/ADT/STLExtras.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gemmac::importer {

TextModel::TextModel(const Checkpoint &checkpoint, ModuleOp module)
    : checkpoint(checkpoint),
      config(checkpoint.config),
      weights(checkpoint, module),
      builder(OpBuilder::atBlockEnd(module.getBody())),
      loc(weights.location("embed_tokens")) {}

RankedTensorType TextModel::rows(int64_t columns) {
  return RankedTensorType::get({ShapedType::kDynamic, columns},
                               builder.getF32Type());
}

std::string TextModel::inLayer(const char *path) const {
  return "layers." + std::to_string(index) + "." + path;
}

Value TextModel::norm(Value x, const std::string &path, int64_t gains) {
  at(path);
  Value gain = weights.reference(builder, path + ".weight", {gains});
  return gemma::RmsNormOp::create(
      builder, loc, x.getType(), x, gain,
      quantized::NormAttr::get(
          builder.getContext(), builder.getF32FloatAttr(float(config.eps)),
          builder.getF32FloatAttr(float(config.gainOffset))));
}

Value TextModel::norm(Value x, const char *path) {
  return norm(x, inLayer(path), config.width);
}

Value TextModel::linear(Value x, const std::string &path, int64_t out) {
  at(path);
  int64_t in = cast<RankedTensorType>(x.getType()).getDimSize(1);
  Value weight = weights.reference(builder, path + ".weight", {out, in});
  return gemma::LinearOp::create(builder, loc, rows(out), x, weight)
      ->getResult(0);
}

Value TextModel::add(Value x, Value y) {
  return gemma::AddOp::create(builder, loc, x.getType(), x, y);
}

Value TextModel::softcap(Value x, double cap) {
  if (cap == 0) return x;
  return gemma::SoftcapOp::create(builder, loc, x.getType(), x,
                                  builder.getF32FloatAttr(float(cap)));
}

Value TextModel::angles(Value positions, double theta, double factor) {
  return gemma::RopeAnglesOp::create(builder, loc, rows(config.headDim),
                                     positions, builder.getF64FloatAttr(theta),
                                     builder.getF64FloatAttr(factor));
}

// What the softmax sees: scaled, capped, masked.
Value TextModel::scores(Value q, Value k) {
  auto type = RankedTensorType::get(
      {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
      builder.getF32Type());
  double scale = 1 / std::sqrt(config.queryPreAttentionScalar);
  Value s = gemma::AttentionScoresOp::create(
      builder, loc, type, q, k, builder.getI64IntegerAttr(config.headDim),
      builder.getF32FloatAttr(float(scale)));
  s = softcap(s, config.attentionSoftcap);
  int64_t window = config.sliding[size_t(index)] ? config.window : 0;
  return gemma::MaskOp::create(builder, loc, type, s, layerPositions,
                               builder.getI64IntegerAttr(window));
}

Value TextModel::attention(Value h, bool normsHeads) {
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  Value q = linear(h, inLayer("self_attn.q_proj"), queries);
  Value k = linear(h, inLayer("self_attn.k_proj"), keys);
  Value v = linear(h, inLayer("self_attn.v_proj"), keys);
  auto turn = [&](Value rows, const char *headNorm) {
    if (normsHeads) rows = norm(rows, inLayer(headNorm), config.headDim);
    return gemma::RopeOp::create(builder, loc, rows.getType(), rows,
                                 layerAngles);
  };
  q = turn(q, "self_attn.q_norm");
  k = turn(k, "self_attn.k_norm");

  at(inLayer("self_attn"));
  Value s = scores(q, k);
  s = gemma::SoftmaxOp::create(builder, loc, s.getType(), s);
  Value mixed =
      gemma::AttentionValuesOp::create(builder, loc, rows(queries), s, v);
  return linear(mixed, inLayer("self_attn.o_proj"), config.width);
}

Value TextModel::gatedMlp(Value h) {
  Value gate = linear(h, inLayer("mlp.gate_proj"), config.ffn);
  Value up = linear(h, inLayer("mlp.up_proj"), config.ffn);
  h = gemma::GegluOp::create(builder, loc, up.getType(), gate, up);
  return linear(h, inLayer("mlp.down_proj"), config.width);
}

Value TextModel::layer(LayerBody body, Value x, Value positions, Value angles) {
  const std::string name = "layers." + std::to_string(index);
  at(name);
  auto op = gemma::LayerOp::create(builder, loc, x.getType(),
                                   builder.getI64IntegerAttr(index),
                                   ValueRange{x, positions, angles});
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(
      &op.getBody(), {}, op.getInputs().getTypes(), {loc, loc, loc});
  layerPositions = block->getArgument(1);
  layerAngles = block->getArgument(2);
  x = body(*this, block->getArgument(0));
  at(name);
  gemma::YieldOp::create(builder, loc, x);
  return op.getResult();
}

Value TextModel::head(Value x) {
  at("norm");
  x = gemma::WantedRowsOp::create(builder, loc, x.getType(), x);
  x = norm(x, "norm", config.width);
  x = linear(x, config.tied ? "embed_tokens" : "lm_head", config.vocabulary);
  return softcap(x, config.finalSoftcap);
}

llvm::Error TextModel::build(LayerBody body) {
  auto ids =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto function = func::FuncOp::create(
      builder, loc, "forward",
      builder.getFunctionType({ids, ids}, {rows(config.vocabulary)}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Value positions = entry->getArgument(1);

  Value table = weights.reference(builder, "embed_tokens.weight",
                                  {config.vocabulary, config.width});
  Value x = gemma::EmbedOp::create(
      builder, loc, rows(config.width), entry->getArgument(0), table,
      builder.getF32FloatAttr(float(config.embeddingScale)));
  bool sameTurn = config.ropeTheta == config.ropeLocalTheta &&
                  config.ropeFactor == config.ropeLocalFactor;
  Value full, sliding;
  if (sameTurn || llvm::is_contained(config.sliding, false))
    full = angles(positions, config.ropeTheta, config.ropeFactor);
  if (sameTurn)
    sliding = full;
  else if (llvm::is_contained(config.sliding, true))
    sliding = angles(positions, config.ropeLocalTheta, config.ropeLocalFactor);
  for (index = 0; index < config.layers; ++index)
    x = layer(body, x, positions,
              config.sliding[size_t(index)] ? sliding : full);
  x = head(x);
  func::ReturnOp::create(builder, loc, x);
  return weights.takeError();
}

}  // namespace gemmac::importer
