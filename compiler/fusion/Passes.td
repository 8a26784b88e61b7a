// Passes of the fusion stage.
#ifndef GEMMAC_COMPILER_FUSION_PASSES_TD
#define GEMMAC_COMPILER_FUSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseAttention : Pass<"gemmac-fuse-attention", "::mlir::ModuleOp"> {
  let summary = "attention_scores … attention_values become gemma.attention";
  let description = [{
    `attention_scores` → [`softcap`] → `mask` → `softmax` →
    `attention_values`, each used once, becomes one `gemma.attention`, which
    lowering computes block by block with an online softmax. Lowering knows no
    other form of attention, so a chain that stays is an error there.

    Missed, with the reason as a remark: an intermediate that something else
    reads, key and value of different types, heads that do not agree.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

#endif
