// SPDX-License-Identifier: Apache-2.0
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

def FuseGatedMlp : Pass<"gemmac-fuse-gated-mlp", "::mlir::ModuleOp"> {
  let summary = "gate, up and geglu become one gemma.linear with a geglu epilogue";
  let description = [{
    `geglu(linear(x, gate), linear(x, up))`, each product read once, becomes one
    linear with both weights: gate and up rows are multiplied and combined while
    they are in the cache, and never written.

    Missed: gate and up of different inputs, or fused with something else.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseHeadSampling : Pass<"gemmac-fuse-head-sampling", "::mlir::ModuleOp"> {
  let summary = "the head's linear also finds each row's arg-max";
  let description = [{
    The linear that makes the logits becomes a `gemma.linear` with the epilogue
    `arg_max`, whose second result `@forward` returns as well. Lowering makes an
    entry point of it that folds every tile of the head into a largest logit and
    its token, so that greedy sampling never writes the logits. The logits stay
    as they are for every other caller.

    Missed: logits that are no plain product, as those of a softcap that
    FuseSoftcap left alone, or that something else reads.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseQkv : Pass<"gemmac-fuse-qkv", "::mlir::ModuleOp"> {
  let summary = "linears of one input become one gemma.linear of several weights";
  let description = [{
    All plain linears of a block that read one value become one op with a result
    for each weight; lowering gives it one phase. Weights stay apart, each in
    its own format.

    Missed: a linear that is alone, or fused with something else.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseNormIntoLinear
    : Pass<"gemmac-fuse-norm-into-linear", "::mlir::ModuleOp"> {
  let summary = "an rms_norm that one linear reads becomes its norm operand";
  let description = [{
    With weights in codes the normalised row is quantized as it is made and
    never written as floats.

    Missed: a norm of heads, with a residual, or with several readers.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseResidualNorm : Pass<"gemmac-fuse-residual-norm", "::mlir::ModuleOp"> {
  let summary = "add(x, rms_norm(y)) becomes rms_norm(y) with residual x";
  let description = [{
    Missed: a sum neither side of which is a norm that only the sum reads.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseRope : Pass<"gemmac-fuse-rope", "::mlir::ModuleOp"> {
  let summary = "rotation and norm of the heads become part of gemma.attention";
  let description = [{
    Query and key that the same angles rotate, after a norm of each head or
    none, are read as the projection wrote them: keys are rotated on their way
    into the cache.

    Missed: query and key that are not both rotated by the same angles, or whose
    rotated rows something else reads. Norms of query and key that differ stay
    where they are.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

def FuseSoftcap : Pass<"gemmac-fuse-softcap", "::mlir::ModuleOp"> {
  let summary = "the softcap of a linear becomes its attribute";
  let description = [{
    Missed: a softcap of something else. FuseAttention takes the cap of scores.
  }];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect"];
}

#endif
