// SPDX-License-Identifier: Apache-2.0
// Ops of the quantized dialect: weight symbols and products with codes.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDOPS_TD
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDOPS_TD

include "dialects/quantized/QuantizedDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

class Quantized_Op<string mnemonic, list<Trait> traits = []>
    : Op<Quantized_Dialect, mnemonic, traits>;

def Quantized_WeightOp : Quantized_Op<"weight", [Symbol]> {
  let summary = "one tensor of the checkpoint, and how it is stored";
  let description = [{
    Names `source_bytes` bytes at `offset` of file `file` (an index into the
    module's `gemma.sources`), stored there row-major in `source_format`. The
    type says the format of the output file; packaging converts when the two
    differ. `packed_offset` is where the packed tensor starts in the weights
    section (PlanWeights sets it).

    Constraints:
    - (C1) `source_format` is a known format and so is the type's
    - (C2) `source_bytes` equals the size of the type's shape in
      `source_format`; columns are a multiple of both formats' block

    Example:
    ```mlir
    quantized.weight @blk.0.attn_q.weight : !quantized.tensor<1024x640, q5_0>
      {file = 0 : i64, offset = 4096 : i64, source_bytes = 450560 : i64,
       source_format = "q5_0"}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Quantized_TensorType>:$type,
    I64Attr:$file, I64Attr:$offset, I64Attr:$source_bytes,
    StrAttr:$source_format, OptionalAttr<I64Attr>:$packed_offset);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    TensorType getTensorType() {
      return ::llvm::cast<TensorType>(getTypeAttr().getValue());
    }
  }];
}

def Quantized_WeightTableOp : Quantized_Op<"weight_table", [Symbol,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the weights that one outlined layer uses at one place";
  let description = [{
    Entry i is the weight of the i-th layer of the kind. All have one type.

    Constraints:
    - (C1) every entry names a `quantized.weight` of type `type`

    Example:
    ```mlir
    quantized.weight_table @layer_0.q [@blk.0.attn_q.weight, @blk.1.attn_q.weight]
      : !quantized.tensor<1024x640, q5_0>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    TypedArrayAttrBase<FlatSymbolRefAttr, "weight symbols">:$weights,
    TypeAttrOf<Quantized_TensorType>:$type);
  let assemblyFormat = "$sym_name $weights `:` $type attr-dict";
}

def Quantized_ReferenceOp : Quantized_Op<"reference", [Pure,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a weight";
  let description = [{
    Without `index`: the weight named by `symbol`. With it: entry `index` of
    the weight table named by `symbol`.

    Constraints:
    - (C1) `symbol` names a `quantized.weight` (or, with `index`, a
      `quantized.weight_table`) of the result's type

    Example: `%w = quantized.reference @blk.0.attn_q.weight : !quantized.tensor<1024x640, q5_0>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$symbol, Optional<Index>:$index);
  let results = (outs Quantized_TensorType:$result);
  let assemblyFormat = "$symbol (`[` $index^ `]`)? `:` type($result) attr-dict";
}

def Quantized_QuantizeActivationOp : Quantized_Op<"quantize_activation", [Pure]> {
  let summary = "rows of f32 to rows of 8-bit codes";
  let description = [{
    a_g = absmax(x_g) / 127 for each group g of 32 columns (0 where absmax <
    2⁻¹¹⁰), q = round-half-even(x · (1 / a_g)). With `norm`, x is first
    normalised as by gemma.rms_norm.

    Constraints:
    - (C1) columns of `input` = columns of the result, a multiple of 32
    - (C2) the gain's length is the input's columns; with it eps > 0 and
      gain_offset are set

    Example: `%a = quantized.quantize_activation %x : tensor<?x640xf32> -> !quantized.activations<640>`
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$input,
    Optional<Quantized_TensorType>:$gain, OptionalAttr<F32Attr>:$eps,
    OptionalAttr<F32Attr>:$gain_offset);
  let results = (outs Quantized_ActivationsType:$result);
  let assemblyFormat = [{
    $input (`norm` $gain^)? `:` type($input) (`norm` type($gain)^)? `->`
    type($result) attr-dict
  }];
  let hasVerifier = 1;
}

def Quantized_MatmulOp : Quantized_Op<"matmul", [Pure]> {
  let summary = "y = x · Wᵀ on codes";
  let description = [{
    y[t, n] = Σ_g in increasing order: fma(float(Σ_{k in g} q·x − z·Σ x), d·a,
    acc), and for a format with a minimum fma(−float(Σ x), m·a, acc)
    (docs/numerics.md, point 2). Several weights, `geglu`, `softcap` and
    `arg_max` mean what they mean in gemma.linear.

    Constraints:
    - (C1) each weight is a matrix, its columns are the input's
    - (C2) without geglu each weight has one result, whose columns are its rows
    - (C3) with geglu there are two weights and one result, all of one height
    - (C4) softcap > 0, and not beside geglu
    - (C5) each weight's format has integer codes (not f32, f16 or bf16)
    - (C6) with arg_max there are one weight of at most 2²⁴ rows, no geglu, and
      a second result of 2 columns

    Example:
    ```mlir
    %y = quantized.matmul %a, %w : !quantized.activations<640>,
      !quantized.tensor<1024x640, q5_0> -> tensor<?x1024xf32>
    ```
  }];
  let arguments = (ins Quantized_ActivationsType:$input,
    Variadic<Quantized_TensorType>:$weights, UnitAttr:$geglu,
    OptionalAttr<F32Attr>:$softcap, UnitAttr:$arg_max);
  let results = (outs Variadic<2DTensorOf<[F32]>>:$results);
  let assemblyFormat = [{
    $input `,` $weights `:` type($input) `,` type($weights) `->` type($results)
    attr-dict
  }];
  let hasVerifier = 1;
}

#endif
