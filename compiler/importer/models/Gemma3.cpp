// Gemma 3, line by line. Per layer, with x the residual stream:
//   x += norm(o(attention(rope(qnorm(q(h))), rope(knorm(k(h))), v(h))))
//                                                  h = norm(x)
//   x += norm(down(geglu(gate(h), up(h))))         h = norm(x)
// Sliding layers turn by the local angles and see `window` positions.
#include "compiler/importer/models/Gemma3.h"

#include <cmath>

#include "compiler/importer/models/WeightSymbols.h"
#include "dialects/gemma/Gemma.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gemmac::importer {
namespace {

class Gemma3Graph {
 public:
  Gemma3Graph(const Checkpoint &checkpoint, ModuleOp module)
      : config(checkpoint.config),
        weights(checkpoint, module),
        builder(OpBuilder::atBlockEnd(module.getBody())),
        loc(weights.location("embed_tokens")) {}

  llvm::Error build();

 private:
  RankedTensorType rows(int64_t columns) {
    return RankedTensorType::get({ShapedType::kDynamic, columns},
                                 builder.getF32Type());
  }
  // Ops of the part `path` until the next call.
  void at(const llvm::Twine &path) { loc = weights.location(path); }

  Value norm(Value x, const llvm::Twine &path, int64_t gains) {
    at(path);
    Value gain = weights.reference(builder, path + ".weight", {gains});
    return gemma::RmsNormOp::create(
        builder, loc, x.getType(), x, gain,
        builder.getF32FloatAttr(float(config.eps)),
        builder.getF32FloatAttr(float(config.gainOffset)));
  }
  Value linear(Value x, const llvm::Twine &path, int64_t out) {
    at(path);
    int64_t in = cast<RankedTensorType>(x.getType()).getDimSize(1);
    Value weight = weights.reference(builder, path + ".weight", {out, in});
    return gemma::LinearOp::create(builder, loc, rows(out), x, weight)
        ->getResult(0);
  }
  Value softcap(Value x, double cap) {
    if (cap == 0) return x;
    return gemma::SoftcapOp::create(builder, loc, x.getType(), x,
                                    builder.getF32FloatAttr(float(cap)));
  }
  Value angles(Value positions, double theta, double factor) {
    return gemma::RopeAnglesOp::create(
        builder, loc, rows(config.headDim), positions,
        builder.getF64FloatAttr(theta), builder.getF64FloatAttr(factor));
  }
  Value attention(Value h, Value positions, Value angles,
                  const std::string &layer, bool sliding);
  Value layer(int64_t index, Value x, Value positions, Value angles);
  Value head(Value x);

  const ModelConfig &config;
  WeightSymbols weights;
  OpBuilder builder;
  Location loc;
};

Value Gemma3Graph::attention(Value h, Value positions, Value angles,
                             const std::string &layer, bool sliding) {
  const std::string part = layer + ".self_attn.";
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  Value q = linear(h, part + "q_proj", queries);
  Value k = linear(h, part + "k_proj", keys);
  Value v = linear(h, part + "v_proj", keys);
  q = norm(q, part + "q_norm", config.headDim);
  q = gemma::RopeOp::create(builder, loc, q.getType(), q, angles);
  k = norm(k, part + "k_norm", config.headDim);
  k = gemma::RopeOp::create(builder, loc, k.getType(), k, angles);

  at(layer + ".self_attn");
  auto scores = RankedTensorType::get(
      {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
      builder.getF32Type());
  double scale = 1 / std::sqrt(config.queryPreAttentionScalar);
  Value s = gemma::AttentionScoresOp::create(
      builder, loc, scores, q, k, builder.getI64IntegerAttr(config.headDim),
      builder.getF32FloatAttr(float(scale)));
  s = softcap(s, config.attentionSoftcap);
  s = gemma::MaskOp::create(
      builder, loc, scores, s, positions,
      builder.getI64IntegerAttr(sliding ? config.window : 0));
  s = gemma::SoftmaxOp::create(builder, loc, scores, s);
  Value mixed =
      gemma::AttentionValuesOp::create(builder, loc, rows(queries), s, v);
  return linear(mixed, part + "o_proj", config.width);
}

Value Gemma3Graph::layer(int64_t index, Value x, Value positions,
                         Value angles) {
  const std::string name = "layers." + std::to_string(index);
  at(name);
  auto op = gemma::LayerOp::create(builder, loc, x.getType(),
                                   builder.getI64IntegerAttr(index),
                                   ValueRange{x, positions, angles});
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&op.getBody(), {},
                                    op.getInputs().getTypes(), {loc, loc, loc});
  x = body->getArgument(0);

  Value h = norm(x, name + ".input_layernorm", config.width);
  h = attention(h, body->getArgument(1), body->getArgument(2), name,
                config.sliding[size_t(index)]);
  h = norm(h, name + ".post_attention_layernorm", config.width);
  x = gemma::AddOp::create(builder, loc, x.getType(), x, h);

  h = norm(x, name + ".pre_feedforward_layernorm", config.width);
  Value gate = linear(h, name + ".mlp.gate_proj", config.ffn);
  Value up = linear(h, name + ".mlp.up_proj", config.ffn);
  h = gemma::GegluOp::create(builder, loc, up.getType(), gate, up);
  h = linear(h, name + ".mlp.down_proj", config.width);
  h = norm(h, name + ".post_feedforward_layernorm", config.width);
  x = gemma::AddOp::create(builder, loc, x.getType(), x, h);

  at(name);
  gemma::YieldOp::create(builder, loc, x);
  return op.getResult();
}

Value Gemma3Graph::head(Value x) {
  at("norm");
  x = gemma::WantedRowsOp::create(builder, loc, x.getType(), x);
  x = norm(x, "norm", config.width);
  x = linear(x, config.tied ? "embed_tokens" : "lm_head", config.vocabulary);
  return softcap(x, config.finalSoftcap);
}

llvm::Error Gemma3Graph::build() {
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
  Value full, sliding;
  if (llvm::is_contained(config.sliding, false))
    full = angles(positions, config.ropeTheta, config.ropeFactor);
  if (llvm::is_contained(config.sliding, true))
    sliding = angles(positions, config.ropeLocalTheta, /*factor=*/1);
  for (int64_t i = 0; i < config.layers; ++i)
    x = layer(i, x, positions, config.sliding[size_t(i)] ? sliding : full);
  x = head(x);
  func::ReturnOp::create(builder, loc, x);
  return weights.takeError();
}

}  // namespace

llvm::Error buildGemma3(const Checkpoint &checkpoint, ModuleOp module) {
  return Gemma3Graph(checkpoint, module).build();
}

}  // namespace gemmac::importer
