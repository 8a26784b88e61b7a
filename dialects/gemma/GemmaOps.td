// SPDX-License-Identifier: Apache-2.0
// Ops of the gemma dialect. Each doc: formula, shapes, constraints, example,
// source (files of Hugging Face transformers 5).
#ifndef GEMMAC_DIALECTS_GEMMA_GEMMAOPS_TD
#define GEMMAC_DIALECTS_GEMMA_GEMMAOPS_TD

include "dialects/gemma/GemmaDialect.td"
include "dialects/quantized/CostInterface.td"
include "dialects/quantized/QuantizedDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/RegionKindInterface.td"

class Gemma_Op<string mnemonic, list<Trait> traits = []>
    : Op<Gemma_Dialect, mnemonic, traits # [KnownAttributes]>;

// An op that computes, and says what it costs; `costs` are the methods of
// CostOpInterface that it defines itself.
class Gemma_CostOp<string mnemonic, list<Trait> traits = [],
                   list<string> costs = []>
    : Gemma_Op<mnemonic,
               traits # [DeclareOpInterfaceMethods<CostOpInterface, costs>]>;

// [T] of i32: token ids, positions.
def Ids : 1DTensorOf<[I32]>;
// [T, H, S] of f32: scores; both T and S are dynamic.
def Scores : ConfinedType<3DTensorOf<[F32]>, [
    CPred<"::llvm::cast<::mlir::ShapedType>($_self).isDynamicDim(0)">,
    CPred<"::gemmac::quantized::isSize("
          "::llvm::cast<::mlir::ShapedType>($_self).getDimSize(1))">,
    CPred<"::llvm::cast<::mlir::ShapedType>($_self).isDynamicDim(2)">],
    "3D tensor of f32 scores [?, heads, ?]">;

def Gemma_EmbedOp : Gemma_CostOp<"embed", [Pure], ["getWeightUses"]> {
  let summary = "rows of the embedding table, scaled";
  let description = [{
    y[t] = weight[tokens[t]] · scale.

    Shapes: tokens [T], weight [V, D], result [T, D].

    Constraints:
    - (C1) `weight` is a matrix whose columns are the result's columns

    Example:
    ```mlir
    %x = gemma.embed %tokens, %w {scale = 2.529822e+01 : f32} : tensor<?xi32>, !quantized.tensor<262144x640, q8_0> -> tensor<?x640xf32>
    ```
    Source: modeling_gemma3.py, Gemma3TextScaledWordEmbedding.
  }];
  let arguments = (ins Ids:$tokens, Quantized_TensorType:$weight,
    ConfinedAttr<F32Attr, [Finite]>:$scale);
  let results = (outs Rows:$result);
  let assemblyFormat = "$tokens `,` $weight attr-dict `:` type($tokens) `,` type($weight) `->` type($result)";
  let hasVerifier = 1;
}

def Gemma_RmsNormOp : Gemma_CostOp<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "root mean square normalisation of each segment of a row";
  let description = [{
    For each segment x of n columns, n the gain's length:
    y = x · 1/sqrt(mean(x²) + eps) · (gain + gain_offset), the two numbers in
    `norm`. A row of n columns is one segment; Q of H·E columns with a gain of E
    is H.
    With `residual` r, which FuseResidualNorm makes, y = r + that.

    Constraints:
    - (C1) `gain` is a vector whose length divides the input's columns
    - (C2) `residual` has the input's type

    Example:
    ```mlir
    %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x640xf32>, !quantized.tensor<640, f32>
    ```
    Source: modeling_gemma3.py, Gemma3RMSNorm.
  }];
  let arguments = (ins Rows:$input, Quantized_TensorType:$gain,
                       Quantized_NormAttr:$norm, Optional<Rows>:$residual);
  let results = (outs Rows:$result);
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$input,
      "::mlir::Value":$gain, "::gemmac::quantized::NormAttr":$norm), [{
    build($_builder, $_state, type, input, gain, norm,
          /*residual=*/::mlir::Value());
  }]>];
  let assemblyFormat = [{
    $input `,` $gain attr-dict `:` type($input) `,` type($gain)
    (`residual` $residual^ `:` type($residual))?
  }];
  let hasVerifier = 1;
}

def Gemma_LinearOp : Gemma_CostOp<"linear", [Pure, AttrSizedOperandSegments], ["getRowOperations", "getUnwrittenResults"]> {
  let summary = "y = x · Wᵀ, for one weight or several that share x";
  let description = [{
    As imported: one weight, one result. Fusion makes of it
    - several weights, one result each, that read x once (FuseQkv),
    - `norm`: x is first normalised as by gemma.rms_norm (FuseNormIntoLinear),
    - an epilogue (#quantized.epilogue): `geglu` with one result of two weights
      (FuseGatedMlp), `softcap` (FuseSoftcap), `arg_max` with a second result
      (FuseHeadSampling), where a row without any number gives −inf and column
      0.

    Shapes: input [T, in], weights [out, in], results [T, out], gain [in]; the
    second result of `arg_max` [T, 2].

    Constraints:
    - (C1) each weight is a matrix, its columns are the input's
    - (C2) without geglu each weight has one result, whose columns are its rows
    - (C3) with geglu there are two weights and one result, all of one height
    - (C4) gain and `norm` come together; the gain's length is the input's
      columns
    - (C5) with arg_max there are one weight of at most 2²⁴ rows, whose numbers
      f32 holds exactly, no geglu, and a second result of 2 columns

    Example:
    ```mlir
    %y = gemma.linear %x, %w : tensor<?x640xf32>, !quantized.tensor<1024x640, f32> -> tensor<?x1024xf32>
    %h = gemma.linear %x, %gate, %up norm %g {epilogue = #quantized.epilogue<geglu>, norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x640xf32>, !quantized.tensor<2048x640, f32>, !quantized.tensor<2048x640, f32> norm !quantized.tensor<640, f32> -> tensor<?x2048xf32>
    ```
    Source: torch.nn.Linear without a bias.
  }];
  let arguments = (ins Rows:$input, Variadic<Quantized_TensorType>:$weights,
    Optional<Quantized_TensorType>:$gain,
    OptionalAttr<Quantized_NormAttr>:$norm,
    OptionalAttr<Quantized_EpilogueAttr>:$epilogue);
  let results = (outs Variadic<Rows>:$results);
  let extraClassDeclaration = Quantized_EpilogueAccessors.accessors;
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$types,
      "::mlir::Value":$input, "::mlir::ValueRange":$weights), [{
    build($_builder, $_state, types, input, weights, /*gain=*/::mlir::Value(),
          /*norm=*/nullptr, /*epilogue=*/nullptr);
  }]>];
  let assemblyFormat = [{
    $input `,` $weights (`norm` $gain^)? attr-dict `:` type($input) `,`
    type($weights) (`norm` type($gain)^)? `->` type($results)
  }];
  let hasVerifier = 1;
}

def Gemma_RopeAnglesOp : Gemma_CostOp<"rope_angles", [Pure]> {
  let summary = "cosines and sines of rotary position embedding";
  let description = [{
    For i < E/2: angle = f32(position) · inv_freq[i], inv_freq[i] =
    f32(theta^(−2i/E) / factor) computed in double and rounded once; the result
    row is [cos(angle_0) … cos(angle_{E/2−1}), sin(angle_0) …].

    Shapes: positions [T], result [T, E].

    Constraints:
    - (C1) E is even

    Example:
    ```mlir
    %a = gemma.rope_angles %positions {theta = 1.0e+06 : f64, factor = 8.0 : f64} : tensor<?xi32> -> tensor<?x256xf32>
    ```
    Source: modeling_gemma3.py, Gemma3RotaryEmbedding; rope types default and
    linear.
  }];
  let arguments = (ins Ids:$positions, ConfinedAttr<F64Attr, [FinitePositive]>:$theta,
    ConfinedAttr<F64Attr, [FinitePositive]>:$factor);
  let results = (outs Rows:$result);
  let assemblyFormat = "$positions attr-dict `:` type($positions) `->` type($result)";
  let hasVerifier = 1;
}

def Gemma_RopeOp : Gemma_CostOp<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "rotates pairs (i, i + E/2) of every head";
  let description = [{
    For each head of E columns, i < E/2, c and s of the row's angles:
    y_i = x_i·c_i − x_{i+E/2}·s_i, y_{i+E/2} = x_{i+E/2}·c_i + x_i·s_i.

    Shapes: input [T, n·E], angles [T, E].

    Constraints:
    - (C1) the angles' columns divide the input's columns

    Example:
    ```mlir
    %y = gemma.rope %q, %a : tensor<?x1024xf32>, tensor<?x256xf32>
    ```
    Source: modeling_gemma3.py, apply_rotary_pos_emb.
  }];
  let arguments = (ins Rows:$input, Rows:$angles);
  let results = (outs Rows:$result);
  let assemblyFormat = "$input `,` $angles attr-dict `:` type($input) `,` type($angles)";
  let hasVerifier = 1;
}

def Gemma_AttentionScoresOp : Gemma_CostOp<"attention_scores", [Pure], ["getRowOperations", "getCacheUse"]> {
  let summary = "s = (q · kᵀ) · scale";
  let description = [{
    s[t, h, j] = scale · Σ_e q[t, h, e] · k[j, h / (H/K), e], for every
    position j of the row's session that was seen so far.

    Shapes: query [T, H·E], key [T, K·E], result [T, H, S].

    Constraints:
    - (C1) head_dim divides the columns of query and key
    - (C2) K divides H; the result's middle dimension is H

    Example:
    ```mlir
    %s = gemma.attention_scores %q, %k {head_dim = 256 : i64, scale = 6.25e-02 : f32} : tensor<?x1024xf32>, tensor<?x256xf32> -> tensor<?x4x?xf32>
    ```
    Source: modeling_gemma3.py, eager_attention_forward.
  }];
  let arguments = (ins Rows:$query, Rows:$key,
    Size:$head_dim,
    ConfinedAttr<F32Attr, [Finite]>:$scale);
  let results = (outs Scores:$result);
  let assemblyFormat = "$query `,` $key attr-dict `:` type($query) `,` type($key) `->` type($result)";
  let hasVerifier = 1;
}

def Gemma_SoftcapOp : Gemma_CostOp<"softcap", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "cap · tanh(x / cap)";
  let description = [{
    Example: `%y = gemma.softcap %x {cap = 3.0e+01 : f32} : tensor<?x256000xf32>`

    Source: modeling_gemma2.py, eager_attention_forward and the head.
  }];
  let arguments = (ins AnyTypeOf<[Rows, Scores]>:$input,
    ConfinedAttr<F32Attr, [FinitePositive]>:$cap);
  let results = (outs AnyTypeOf<[Rows, Scores]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Gemma_MaskOp : Gemma_CostOp<"mask", [Pure, AllTypesMatch<["scores", "result"]>]> {
  let summary = "−inf where a row must not look";
  let description = [{
    Row at position i keeps score j iff j ≤ i and (window = 0 or i − j <
    window). A window of 0 means none.

    Example: `%m = gemma.mask %s, %positions {window = 512 : i64} : tensor<?x4x?xf32>, tensor<?xi32>`

    Source: masking_utils.py, causal and sliding_window_causal masks.
  }];
  let arguments = (ins Scores:$scores, Ids:$positions,
    Count:$window);
  let results = (outs Scores:$result);
  let assemblyFormat = "$scores `,` $positions attr-dict `:` type($scores) `,` type($positions)";
}

def Gemma_SoftmaxOp : Gemma_CostOp<"softmax", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "exp(x − max) / Σ exp(x − max) over the last dimension";
  let description = [{
    Example: `%p = gemma.softmax %m : tensor<?x4x?xf32>`
  }];
  let arguments = (ins Scores:$input);
  let results = (outs Scores:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Gemma_AttentionValuesOp : Gemma_CostOp<"attention_values", [Pure], ["getRowOperations", "getCacheUse"]> {
  let summary = "weighted sum of the values";
  let description = [{
    y[t, h, e] = Σ_j p[t, h, j] · v[j, h / (H/K), e].

    Shapes: probabilities [T, H, S], value [T, K·E], result [T, H·E].

    Constraints:
    - (C1) K = value columns / E, E = result columns / H, divides H

    Example:
    ```mlir
    %o = gemma.attention_values %p, %v : tensor<?x4x?xf32>, tensor<?x256xf32> -> tensor<?x1024xf32>
    ```
    Source: modeling_gemma3.py, eager_attention_forward.
  }];
  let arguments = (ins Scores:$probabilities, Rows:$value);
  let results = (outs Rows:$result);
  let assemblyFormat = "$probabilities `,` $value attr-dict `:` type($probabilities) `,` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Gemma_AttentionOp : Gemma_CostOp<"attention", [Pure, AttrSizedOperandSegments,
    AllTypesMatch<["query", "result"]>], ["getRowOperations", "getCacheUse"]> {
  let summary = "scores, cap, mask, softmax and weighted sum in one";
  let description = [{
    What FuseAttention makes of attention_scores … attention_values: it is
    computed in blocks of 128 positions with an online softmax and never
    holds all scores; a window bounds the blocks that are read.
    softcap = 0 means none. With `rope` (FuseRope) query and key are first
    rotated by the angles, and with `norm` each of their heads is normalised by
    its gain before that: on the way to the product and into the cache.

    Shapes: query [T, H·E], key and value [T, K·E], result [T, H·E], angles
    [T, E], gains [E].

    Constraints:
    - (C1) head_dim divides the columns of query and key; K divides H
    - (C2) key and value have one type
    - (C3) angles have head_dim columns, gains its length; gains come with
      angles and with `norm`, both or none

    Example:
    ```mlir
    %o = gemma.attention %q, %k, %v, %positions {head_dim = 256 : i64, scale = 6.25e-02 : f32, softcap = 0.0 : f32, window = 512 : i64} : tensor<?x1024xf32>, tensor<?x256xf32>, tensor<?x256xf32>, tensor<?xi32>
    ```
  }];
  let arguments = (ins Rows:$query, Rows:$key, Rows:$value, Ids:$positions,
    Size:$head_dim,
    ConfinedAttr<F32Attr, [Finite]>:$scale,
    ConfinedAttr<F32Attr, [FiniteNonNegative]>:$softcap,
    Count:$window,
    Optional<Rows>:$angles, Optional<Quantized_TensorType>:$query_gain,
    Optional<Quantized_TensorType>:$key_gain,
    OptionalAttr<Quantized_NormAttr>:$norm);
  let results = (outs Rows:$result);
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$query,
      "::mlir::Value":$key, "::mlir::Value":$value,
      "::mlir::Value":$positions, "::mlir::IntegerAttr":$headDim,
      "::mlir::FloatAttr":$scale, "::mlir::FloatAttr":$softcap,
      "::mlir::IntegerAttr":$window), [{
    build($_builder, $_state, type, query, key, value, positions, headDim,
          scale, softcap, window, /*angles=*/::mlir::Value(),
          /*query_gain=*/::mlir::Value(), /*key_gain=*/::mlir::Value(),
          /*norm=*/nullptr);
  }]>];
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` $positions (`rope` $angles^)?
    (`norm` $query_gain^ `,` $key_gain)? attr-dict `:` type($query) `,`
    type($key) `,` type($value) `,` type($positions) (`rope` type($angles)^)?
    (`norm` type($query_gain)^ `,` type($key_gain))?
  }];
  let hasVerifier = 1;
}

def Gemma_GegluOp : Gemma_CostOp<"geglu", [Pure, AllTypesMatch<["gate", "up", "result"]>]> {
  let summary = "gelu_tanh(gate) · up";
  let description = [{
    u = √(2/π)·(g + 0.044715·g³); y = g / (1 + exp(−2u)) · up, which equals
    0.5·g·(1 + tanh(u))·up.

    Example: `%y = gemma.geglu %g, %u : tensor<?x2048xf32>`

    Source: modeling_gemma3.py, Gemma3MLP with gelu_pytorch_tanh.
  }];
  let arguments = (ins Rows:$gate, Rows:$up);
  let results = (outs Rows:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($gate)";
}

def Gemma_AddOp : Gemma_CostOp<"add", [Pure, Commutative, AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "residual addition";
  let description = [{
    Example: `%y = gemma.add %x, %r : tensor<?x640xf32>`
  }];
  let arguments = (ins Rows:$lhs, Rows:$rhs);
  let results = (outs Rows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

def Gemma_WantedRowsOp : Gemma_CostOp<"wanted_rows", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "the rows whose logits are wanted";
  let description = [{
    Keeps, in order, the rows that the caller wants logits of. The step
    functions end here; what follows becomes the head. Exactly one stands in a
    model; the reference interpreter keeps all rows.

    Example: `%y = gemma.wanted_rows %x : tensor<?x640xf32>`
  }];
  let arguments = (ins Rows:$input);
  let results = (outs Rows:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Gemma_LayerOp : Gemma_Op<"layer", [IsolatedFromAbove,
    SingleBlockImplicitTerminator<"::gemmac::gemma::YieldOp">]> {
  let summary = "one decoder layer";
  let description = [{
    Isolated from above: the region's arguments are the operands. OutlineLayers
    turns layers that differ only in their weight symbols into one function.

    Constraints:
    - (C1) the region's arguments have the operands' types
    - (C2) gemma.yield has the results' types

    Example:
    ```mlir
    %y = gemma.layer 0 (%arg0 = %x) : (tensor<?x64xf32>) -> tensor<?x64xf32> {
      gemma.yield %arg0 : tensor<?x64xf32>
    }
    ```
  }];
  let arguments = (ins Count:$layer, Variadic<AnyType>:$inputs);
  let results = (outs Rows:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Gemma_YieldOp : Gemma_Op<"yield", [Pure, Terminator, HasParent<"LayerOp">]> {
  let summary = "the result of a layer";
  let description = [{
    Example: see `gemma.layer`.
  }];
  let arguments = (ins Optional<Rows>:$value);
  let builders = [OpBuilder<(ins), [{ }]>];
  let assemblyFormat = "($value^ `:` type($value))? attr-dict";
}

#endif
