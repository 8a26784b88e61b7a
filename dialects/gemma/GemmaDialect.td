// SPDX-License-Identifier: Apache-2.0
// The gemma dialect: the model as its paper writes it, on tensors.
#ifndef GEMMAC_DIALECTS_GEMMA_GEMMADIALECT_TD
#define GEMMAC_DIALECTS_GEMMA_GEMMADIALECT_TD

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
  }];
  let cppNamespace = "::gemmac::gemma";
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect"];
}

#endif
