// SPDX-License-Identifier: Apache-2.0
// Ops of the quantized dialect: weight symbols and products with codes.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDOPS_TD
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDOPS_TD

include "dialects/quantized/QuantizedDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

class Quantized_Op<string mnemonic, list<Trait> traits = []>
    : Op<Quantized_Dialect, mnemonic, traits # [KnownAttributes]>;

def Quantized_WeightOp : Quantized_Op<"weight", [Symbol]> {
  let summary = "one tensor of the checkpoint, and how it is stored";
  let description = [{
    The plan of one weight: values are read from `sources`, go through
    `transforms` in order, and are written in the type's format and in `layout`
    at `packed_offset` of the weights section (PlanWeights sets it). Where
    source and type have one format and no transform changes a value, the
    stored bits are kept. `role` says what the weight does, for reports and for
    rules by kind of weight; nothing computes by it.

    Constraints:
    - (C1) one source, as all transforms of today read one
    - (C2) the source has the size of the type's shape in its format; columns
      are a multiple of that format's block
    - (C3) a vector's layout is `dense`, a matrix's `rows_in_lanes`
    - (C4) packed_offset ≥ 0

    Example:
    ```mlir
    quantized.weight @blk.0.attn_q.weight : !quantized.tensor<1024x640, q5_0>
      from [#quantized.source<file = 0, offset = 4096, bytes = 450560, format = "q5_0">]
      {layout = #quantized.layout<rows_in_lanes>, role = #quantized.role<q>}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Quantized_TensorType>:$type,
    TypedArrayAttrBase<Quantized_SourceAttr, "sources of a weight">:$sources,
    Quantized_LayoutAttr:$layout,
    DefaultValuedAttr<Quantized_RoleAttr, "Role::Other">:$role,
    DefaultValuedAttr<TypedArrayAttrBase<Quantized_TransformAttr,
      "transforms of a weight">, "{}">:$transforms,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$packed_offset);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
      "TensorType":$type, "SourceAttr":$source, "Role":$role)>];
  let assemblyFormat = "$sym_name `:` $type `from` $sources attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    TensorType getTensorType() {
      return ::llvm::cast<TensorType>(getTypeAttr().getValue());
    }
    // The bytes of the checkpoint (C1).
    SourceAttr getSource() {
      return ::llvm::cast<SourceAttr>(getSources()[0]);
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
    - (C2) gain and `norm` come together; the gain's length is the input's
      columns

    Example: `%a = quantized.quantize_activation %x : tensor<?x640xf32> -> !quantized.activations<640, scale_per_32>`
  }];
  let arguments = (ins Rows:$input, Optional<Quantized_TensorType>:$gain,
    OptionalAttr<Quantized_NormAttr>:$norm);
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
    (docs/numerics.md, point 2). Several weights and an epilogue mean what they
    mean in gemma.linear.

    Constraints:
    - (C1) each weight is a matrix, its columns are the input's
    - (C2) without geglu each weight has one result, whose columns are its rows
    - (C3) with geglu there are two weights and one result, all of one height
    - (C4) each weight's format has integer codes (not f32, f16 or bf16)
    - (C5) with arg_max there are one weight of at most 2²⁴ rows, no geglu, and
      a second result of 2 columns

    Example:
    ```mlir
    %y = quantized.matmul %a, %w : !quantized.activations<640, scale_per_32>,
      !quantized.tensor<1024x640, q5_0> -> tensor<?x1024xf32>
    ```
  }];
  let arguments = (ins Quantized_ActivationsType:$input,
    Variadic<Quantized_TensorType>:$weights,
    OptionalAttr<Quantized_EpilogueAttr>:$epilogue);
  let results = (outs Variadic<Rows>:$results);
  let extraClassDeclaration = Quantized_EpilogueAccessors.accessors;
  let assemblyFormat = [{
    $input `,` $weights `:` type($input) `,` type($weights) `->` type($results)
    attr-dict
  }];
  let hasVerifier = 1;
}

#endif
