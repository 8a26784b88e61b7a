// SPDX-License-Identifier: Apache-2.0
// Gemma 3, line by line. Per layer, with x the residual stream:
//   x += norm(o(attention(rope(qnorm(q(h))), rope(knorm(k(h))), v(h))))
//                                                  h = norm(x)
//   x += norm(down(geglu(gate(h), up(h))))         h = norm(x)
// Sliding layers turn by the local angles and see `window` positions.
#include "compiler/importer/models/Models.h"
#include "compiler/importer/models/TextModel.h"

using namespace mlir;

namespace gemmac::importer {

static Value layer(TextModel &model, Value x) {
  Value h = model.norm(x, "input_layernorm");
  h = model.attention(h, /*normsHeads=*/true);
  h = model.norm(h, "post_attention_layernorm");
  x = model.add(x, h);

  h = model.norm(x, "pre_feedforward_layernorm");
  h = model.gatedMlp(h);
  h = model.norm(h, "post_feedforward_layernorm");
  return model.add(x, h);
}

llvm::Error buildGemma3(const Checkpoint &checkpoint, ModuleOp module) {
  return TextModel(checkpoint, module).build(layer);
}

}  // namespace gemmac::importer
