// SPDX-License-Identifier: Apache-2.0
// The gemma dialect: the model as its paper writes it, on tensors.
#ifndef GEMMAC_DIALECTS_GEMMA_GEMMADIALECT_TD
#define GEMMAC_DIALECTS_GEMMA_GEMMADIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Gemma_Dialect : Dialect {
  let name = "gemma";
  let summary = "Gemma's graph, one op an idea of the papers";
  let description = [{
    Value semantics; shapes are static but for T, the rows of one call. T rows
    stand at `positions` of their sessions; keys and values of earlier
    positions are there without being named (the reference interpreter feeds a
    whole sequence in one call; lowering turns them into the KV cache).
    Letters: T rows, D model width, H query heads, K kv heads, E head width,
    F ffn width, V vocabulary.

    Attributes of a module: `gemma.model`, a #gemma.sizes; `gemma.sources`, the
    paths of the checkpoint's files as strings. Of a function:
    `gemma.layer_kind`, which kind of layer it was outlined from.
  }];
  let cppNamespace = "::gemmac::gemma";
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

def Gemma_SizesAttr : AttrDef<Gemma_Dialect, "Sizes"> {
  let mnemonic = "sizes";
  let summary = "the sizes of a model, as its checkpoint states them";
  let description = [{
    V, D, L, H, K, E, F and the positions that it was trained on. Layers may
    have sizes of their own: their ops say so, and these are then the first
    layer's.

    Constraints:
    - (C1) none is below 1, but for `layers`, which may be 0, nor above 2³¹ − 1

    Example: `#gemma.sizes<architecture = "gemma3", vocabulary = 262144, width = 640, layers = 18, heads = 4, kv_heads = 1, head_dim = 256, ffn = 2048, positions = 32768>`
  }];
  let parameters = (ins StringRefParameter<"architecture">:$architecture,
    "int64_t":$vocabulary, "int64_t":$width, "int64_t":$layers,
    "int64_t":$heads, "int64_t":$kv_heads, "int64_t":$head_dim, "int64_t":$ffn,
    "int64_t":$positions);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    // The module attribute that has them.
    static constexpr ::llvm::StringLiteral kModuleAttribute = "gemma.model";
  }];
}

#endif
