// SPDX-License-Identifier: Apache-2.0
// Gemma 1, line by line. Per layer, with x the residual stream:
//   x += o(attention(rope(q(h)), rope(k(h)), v(h)))   h = norm(x)
//   x += down(geglu(gate(h), up(h)))                  h = norm(x)
// All layers see all positions; nothing is capped. CodeGemma is this model too.
#include "compiler/importer/models/Models.h"
#include "compiler/importer/models/TextModel.h"

using namespace mlir;

namespace gemmac::importer {

static Value layer(TextModel &model, Value x) {
  Value h = model.norm(x, "input_layernorm");
  x = model.add(x, model.attention(h, /*normsHeads=*/false));

  // Hugging Face names it after what stands before it, GGUF after what follows.
  h = model.norm(x, model.isGguf() ? "pre_feedforward_layernorm"
                                   : "post_attention_layernorm");
  return model.add(x, model.gatedMlp(h));
}

llvm::Error buildGemma1(const Checkpoint &checkpoint, ModuleOp module) {
  return TextModel(checkpoint, module).build(layer);
}

}  // namespace gemmac::importer
