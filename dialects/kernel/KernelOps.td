// SPDX-License-Identifier: Apache-2.0
// Ops of the kernel dialect: control and memory first, then tile operations.
// The order of every sum in a tile operation is docs/numerics.md's.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNELOPS_TD
#define GEMMAC_DIALECTS_KERNEL_KERNELOPS_TD

include "dialects/kernel/KernelDialect.td"
include "dialects/quantized/CostInterface.td"
include "dialects/quantized/QuantizedDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits # [KnownAttributes]>;

// A row or a tile of work. A phase is called after the work of the highest rank
// in it; `costs` are the further methods of CostOpInterface that it defines.
class Kernel_WorkOp<string mnemonic, string label, int rank,
                    list<string> costs = [], list<Trait> traits = []>
    : Kernel_Op<mnemonic, traits # [DeclareOpInterfaceMethods<CostOpInterface,
        ["getCostLabel", "getCostRank"] # costs>]> {
  let extraClassDefinition = "::llvm::StringRef $cppClass::getCostLabel() {"
    " return \"" # label # "\"; }\n"
    "int $cppClass::getCostRank() { return " # rank # "; }\n";
}

// Row after row, in the arena or the caller's memory: kernels compute addresses.
class Buffer<Type element, string summary> : RowsOf<
    ConfinedType<MemRefRankOf<[element], [2]>, [
      CPred<"::llvm::cast<::mlir::MemRefType>($_self).getLayout().isIdentity()">,
      CPred<"!::llvm::cast<::mlir::MemRefType>($_self).getMemorySpace()">]>,
    summary>;
def F32Buffer : Buffer<F32, "buffer of any number of rows of f32">;
def I8Buffer : Buffer<I8, "buffer of any number of rows of bytes">;
def AnyBuffer : AnyTypeOf<[F32Buffer, I8Buffer]>;
// The cache, which no buffer stands for.
def KvCache : Resource<"::gemmac::kernel::KvCache">;
def ReadsCache : Arg<Kernel_StepType, "", [MemRead<KvCache>]>;
def WritesCache : Arg<Kernel_StepType, "", [MemWrite<KvCache>]>;
class In<Type type> : Arg<type, "", [MemRead]>;
class Out<Type type> : Arg<type, "", [MemWrite]>;
def OptionalIn : Arg<Optional<F32Buffer>, "", [MemRead]>;

//===-- control and memory -------------------------------------------------===//

def Kernel_PhaseOp : Kernel_Op<"phase", [RecursiveMemoryEffects,
    SingleBlockImplicitTerminator<"::gemmac::kernel::EndOp">]> {
  let summary = "tiles that all threads share, and a barrier";
  let description = [{
    Segment s has `tiles[s]` tiles; its region runs once for each, with the
    tile's index as its argument, on any thread, in any order. Tiles of one
    phase must not read what another tile of the phase writes. Then a barrier.

    Constraints:
    - (C1) one region a tile count, each with one `index` argument
    - (C2) no phase stands around it: its barrier would never end

    Example:
    ```mlir
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.add_row %x, %r, %y[%t] : memref<?x640xf32>
    }
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, Variadic<Index>:$tiles);
  let regions = (region VariadicRegion<SizedRegion<1>>:$segments);
  let assemblyFormat = "$step `tiles` `(` $tiles `)` attr-dict-with-keyword $segments";
  let hasVerifier = 1;
}

def Kernel_EndOp : Kernel_Op<"end", [Pure, Terminator, HasParent<"PhaseOp">]> {
  let summary = "end of a tile";
  let description = [{
    Stands at the end of each segment of a phase; the parser adds it where it is
    not written.

    Example:
    ```mlir
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.end
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Kernel_RowCountOp : Kernel_Op<"row_count", [Pure]> {
  let summary = "T, the rows of this call";
  let description = [{
    The rows that the caller gave to the step: 1 in @decode, at most the entry
    point's max_rows elsewhere. All row operations of a step run over it.

    Example:
    ```mlir
    %n = kernel.row_count %step
    ```
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_WantedCountOp : Kernel_Op<"wanted_count", [Pure]> {
  let summary = "rows whose logits are wanted in this call of the head";
  let description = [{
    At most head_rows of kernel.model; a caller that wants more calls the head
    again for the rest.

    Example:
    ```mlir
    %n = kernel.wanted_count %step
    ```
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_WantedRowOp : Kernel_Op<"wanted_row", [Pure]> {
  let summary = "which row of the last step the i-th wanted row is";
  let description = [{
    A row of the hidden buffer, counted from the step's first row; `index` counts
    this call's wanted rows.

    Example:
    ```mlir
    %row = kernel.wanted_row %step[%i]
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, Index:$index);
  let results = (outs Index:$result);
  let assemblyFormat = "$step `[` $index `]` attr-dict";
}

def Kernel_AllocOp : Kernel_Op<"alloc"> {
  let summary = "a buffer of T rows that lives until its last use";
  let description = [{
    PlanBuffers replaces it by kernel.arena. Example:
    `%b = kernel.alloc %step : memref<?x640xf32>`
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs Res<AnyBuffer, "", [MemAlloc]>:$result);
  let assemblyFormat = "$step attr-dict `:` type($result)";
}

def Kernel_ArenaOp : Kernel_Op<"arena", [Pure]> {
  let summary = "a buffer at a fixed offset of the arena";
  let description = [{
    What PlanBuffers makes of kernel.alloc. The arena is one piece of memory a
    session's caller owns; buffers that never live together share bytes of it.
    `offset` counts bytes and is a multiple of 64, a cache line.

    Example:
    ```mlir
    %b = kernel.arena %step at 2560 : memref<?x640xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step,
    ConfinedAttr<I64Attr, [IntNonNegative, MultipleOf64]>:$offset);
  let results = (outs AnyBuffer:$result);
  let assemblyFormat = "$step `at` $offset attr-dict `:` type($result)";
}

def Kernel_HiddenOp : Kernel_Op<"hidden", [Pure]> {
  let summary = "the last step's hidden rows: offset 0 of the arena";
  let description = [{
    Written by the step functions, read by the head, so that a head may follow
    any step without being told which; [T, D].

    Example:
    ```mlir
    %h = kernel.hidden %step : memref<?x640xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs F32Buffer:$result);
  let assemblyFormat = "$step attr-dict `:` type($result)";
}

def Kernel_LogitsOp : Kernel_Op<"logits", [Pure]> {
  let summary = "the caller's buffer: logits, [wanted, V], or in @arg_max [wanted, 2]";
  let description = [{
    The only buffer that is not of the arena: row i belongs to the i-th wanted row
    of the call. In @head it has V columns, in @arg_max the pair {largest number,
    its column}.

    Example:
    ```mlir
    %l = kernel.logits %step : memref<?x262144xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs F32Buffer:$result);
  let assemblyFormat = "$step attr-dict `:` type($result)";
}

def Kernel_ModelOp : Kernel_Op<"model", [Symbol,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what the compiled model exports: gemma_model_code";
  let description = [{
    PlanBuffers sets arena_bytes, PlanWeights weight_bytes, the target the
    rest. `arg_max` is there when FuseHeadSampling fired.

    Constraints:
    - (C1) decode, batch, prefill, head and arg_max are functions of a
      !kernel.step without a result

    Example:
    ```mlir
    kernel.model @gemma_model_m {decode = @decode, batch = @batch, prefill = @prefill, head = @head, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 32 : i64, vocabulary = 262144 : i64, width = 640 : i64, kv = #kernel.kv_plan<format = bf16, positions = 32768, slots = 4608>}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$decode,
    FlatSymbolRefAttr:$batch, FlatSymbolRefAttr:$prefill,
    FlatSymbolRefAttr:$head, Size:$batch_rows,
    Size:$prefill_rows,
    Size:$head_rows,
    Size:$vocabulary,
    Size:$width, Kernel_KvPlanAttr:$kv,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$arena_bytes,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$weight_bytes,
    OptionalAttr<FlatSymbolRefAttr>:$arg_max);
  let assemblyFormat = "$sym_name attr-dict";
}

def Kernel_CallLayerOp : Kernel_Op<"call_layer", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs one layer by the function of its kind";
  let description = [{
    OutlineLayers makes one function a kind of layer; this op runs it for one
    layer. The callee takes the inputs, then `index`, the layer's place within
    its kind (which entry of a weight table is its own), then `cache`, the index
    of its keys and values in #kernel.kv_plan. `layer`, its place among all
    layers, is for reports and is not passed: code that depended on it would
    be one function a layer. On tensors it has results; lowered, the last input
    is the buffer of the result.

    Constraints:
    - (C1) the callee is a function of the inputs' types and two of index that
      has the results' types
    - (C2) no layer calls a layer
    - (C3) no phase stands around it: the layer has phases of its own

    Example:
    ```mlir
    %y = kernel.call_layer @layer_0(%x, %positions) layer %l index %i cache %c : (tensor<?x640xf32>, tensor<?xi32>) -> tensor<?x640xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$inputs,
    Index:$layer, Index:$index, Index:$cache);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    $callee `(` $inputs `)` `layer` $layer `index` $index `cache` $cache
    attr-dict `:` functional-type($inputs, $results)
  }];
}

//===-- row operations -----------------------------------------------------===//

def Kernel_EmbedRowOp : Kernel_WorkOp<"embed_row", "embed", 7, ["getWeightUses"]> {
  let summary = "out[row] = weight[token of the row] · scale, or the row's own embedding";
  let description = [{
    A row that brings an embedding of its own (gemma_row of ModelAbi.h: an image's,
    a soft prompt's) is copied and not scaled. A weight in codes is read out of
    the packed layout, one row of it, so that a tied embedding is stored once.

    Constraints:
    - (C1) `weight` is a matrix whose columns are those of `out`

    Example:
    ```mlir
    kernel.embed_row %step, %w, %x[%t] {scale = 2.5298e+01 : f32} : !quantized.tensor<262144x640, q8_0>, memref<?x640xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, Quantized_TensorType:$weight,
    Out<F32Buffer>:$out, Index:$row,
    ConfinedAttr<F32Attr, [Finite]>:$scale);
  let assemblyFormat = "$step `,` $weight `,` $out `[` $row `]` attr-dict `:` type($weight) `,` type($out)";
  let hasVerifier = 1;
}

def Kernel_RopeAnglesRowOp : Kernel_WorkOp<"rope_angles_row", "rows", -1> {
  let summary = "out[row] = cosines, then sines, of position · inv_freq";
  let description = [{
    For i < E/2: angle = f32(position) · inv_freq[i], inv_freq[i] = f32(theta^(−2i/E)
    / factor), which is computed in double when the model is compiled. cos and sin
    are ours (docs/numerics.md, point 3).

    Constraints:
    - (C1) E is even, and 65536 at most

    Example:
    ```mlir
    kernel.rope_angles_row %step, %a[%t] {factor = 8.0 : f64, theta = 1.0e+06 : f64} : memref<?x256xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, Out<F32Buffer>:$out, Index:$row,
    ConfinedAttr<F64Attr, [FinitePositive]>:$theta,
    ConfinedAttr<F64Attr, [FinitePositive]>:$factor);
  let assemblyFormat = "$step `,` $out `[` $row `]` attr-dict `:` type($out)";
  let hasVerifier = 1;
}

def Kernel_RmsNormRowOp : Kernel_WorkOp<"rms_norm_row", "norm", 4, [], [AllTypesMatch<["in", "out"]>]> {
  let summary = "out[row] = rms_norm of every segment of in[row]";
  let description = [{
    Sum of squares by fma in 16 lanes and the fixed tree, division by n,
    + eps, 1/sqrt, (x·r)·(gain + gain_offset), + residual if there is one.

    Constraints:
    - (C1) `gain` is a vector whose length divides the columns of `in`
    - (C2) `residual` has the type of `in`

    Example:
    ```mlir
    kernel.rms_norm_row %x, %g, %y[%t] {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : memref<?x640xf32>, !quantized.tensor<640, f32>, memref<?x640xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, Quantized_TensorType:$gain,
    Out<F32Buffer>:$out, Index:$row, Quantized_NormAttr:$norm,
    OptionalIn:$residual);
  let assemblyFormat = [{
    $in `,` $gain `,` $out `[` $row `]` attr-dict `:` type($in) `,`
    type($gain) `,` type($out) (`residual` $residual^ `:` type($residual))?
  }];
  let hasVerifier = 1;
}

def Kernel_QuantizeRowOp : Kernel_Op<"quantize_row", [
    DeclareOpInterfaceMethods<CostOpInterface, ["getCostLabel", "getCostRank"]>]> {
  let summary = "out[row] = codes, scales and code sums of in[row]";
  let description = [{
    A row of K columns becomes so many bytes (ActivationLayout.h): K codes (s8), K/32
    scales (f32), K/32 sums of 32 codes (i32), K/16 sums of 16 codes (i32),
    padded to 64. With `norm` the row is normalised first, as by rms_norm_row.

    Constraints:
    - (C1) K is a multiple of 32, `out` has so many columns as a row has bytes
    - (C2) gain and `norm` come together; the gain's length is K

    Example:
    ```mlir
    kernel.quantize_row %x, %q[%t] : memref<?x640xf32>, memref<?x960xi8>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, Out<I8Buffer>:$out, Index:$row,
    Optional<Quantized_TensorType>:$gain,
    OptionalAttr<Quantized_NormAttr>:$norm);
  let assemblyFormat = [{
    $in `,` $out `[` $row `]` (`norm` $gain^)? attr-dict `:` type($in) `,`
    type($out) (`norm` type($gain)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_RopeRowOp : Kernel_WorkOp<"rope_row", "rope", 2, [], [AllTypesMatch<["in", "out"]>]> {
  let summary = "out[row] = in[row] rotated by angles[row]";
  let description = [{
    With `norm` each head is normalised by the gain before, as by rms_norm_row.

    Constraints:
    - (C1) the angles' columns are even and divide the columns of `in`
    - (C2) gain and `norm` come together; the gain is as long as an angles' row

    Example:
    ```mlir
    kernel.rope_row %q, %a, %r[%t] : memref<?x1024xf32>, memref<?x256xf32>, memref<?x1024xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, In<F32Buffer>:$angles,
    Out<F32Buffer>:$out, Index:$row, Optional<Quantized_TensorType>:$gain,
    OptionalAttr<Quantized_NormAttr>:$norm);
  let assemblyFormat = [{
    $in `,` $angles `,` $out `[` $row `]` (`norm` $gain^)? attr-dict `:`
    type($in) `,` type($angles) `,` type($out) (`norm` type($gain)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_KvStoreRowOp : Kernel_WorkOp<"kv_store_row", "cache_store", 8, [], [AttrSizedOperandSegments, AllTypesMatch<["key", "value"]>]> {
  let summary = "writes key[row] and value[row] into the row's session's cache";
  let description = [{
    `cache` is the index into the plan's layers (#kernel.kv_plan). Elements are f32 or bf16
    (`kv_format`), rounded half to even. With `rope` the key is rotated, and with
    `norm` normalised, on its way as by rope_row.

    Constraints:
    - (C1) head_dim divides the columns of key and value
    - (C2) angles have head_dim columns, an even number; a gain comes with
      `norm`, both or none, beside angles, and its length is head_dim

    Example:
    ```mlir
    kernel.kv_store_row %step, %k, %v[%t] cache %c {head_dim = 256 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x256xf32>, memref<?x256xf32>
    ```
  }];
  let arguments = (ins WritesCache:$step, In<F32Buffer>:$key,
    In<F32Buffer>:$value, Index:$row, Index:$cache, Size:$head_dim,
    Kernel_KvFormatAttr:$kv_format, OptionalIn:$angles,
    Optional<Quantized_TensorType>:$gain,
    OptionalAttr<Quantized_NormAttr>:$norm);
  let assemblyFormat = [{
    $step `,` $key `,` $value `[` $row `]` `cache` $cache (`rope` $angles^)?
    (`norm` $gain^)? attr-dict `:` type($key) `,` type($value)
    (`rope` type($angles)^)? (`norm` type($gain)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_GegluRowOp : Kernel_WorkOp<"geglu_row", "geglu", 5, [], [AllTypesMatch<["gate", "up", "out"]>]> {
  let summary = "out[row] = gelu_tanh(gate[row]) · up[row]";
  let description = [{
    u = √(2/π)·(g + 0.044715·g³); out = g / (1 + exp(−2u)) · up, as gemma.geglu.
    `out` may be `gate` or `up`.

    Example:
    ```mlir
    kernel.geglu_row %g, %u, %y[%t] : memref<?x2048xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$gate, In<F32Buffer>:$up,
    Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$gate `,` $up `,` $out `[` $row `]` attr-dict `:` type($gate)";
}

def Kernel_AddRowOp : Kernel_WorkOp<"add_row", "add", 1, [], [AllTypesMatch<["lhs", "rhs", "out"]>]> {
  let summary = "out[row] = lhs[row] + rhs[row]";
  let description = [{
    One f32 addition an element. `out` may be either operand.

    Example:
    ```mlir
    kernel.add_row %x, %r, %y[%t] : memref<?x640xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$lhs, In<F32Buffer>:$rhs,
    Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$lhs `,` $rhs `,` $out `[` $row `]` attr-dict `:` type($lhs)";
}

def Kernel_SoftcapRowOp : Kernel_WorkOp<"softcap_row", "softcap", 0, [], [AllTypesMatch<["in", "out"]>]> {
  let summary = "out[row] = cap · tanh(in[row] / cap)";
  let description = [{
    tanh is ours (docs/numerics.md, point 3); x / cap is a division, not a product
    with its inverse. `out` may be `in`.

    Example:
    ```mlir
    kernel.softcap_row %x, %y[%t] {cap = 3.0e+01 : f32} : memref<?x256000xf32>, memref<?x256000xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, Out<F32Buffer>:$out, Index:$row,
    ConfinedAttr<F32Attr, [FinitePositive]>:$cap);
  let assemblyFormat = "$in `,` $out `[` $row `]` attr-dict `:` type($in) `,` type($out)";
}

def Kernel_CopyRowOp : Kernel_WorkOp<"copy_row", "rows", -1, [], [AllTypesMatch<["in", "out"]>]> {
  let summary = "out[out_row] = in[in_row]";
  let description = [{
    The head gathers the wanted rows of the hidden buffer by it.

    Example:
    ```mlir
    kernel.copy_row %h[%row], %x[%i] : memref<?x640xf32>, memref<?x640xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, Index:$in_row, Out<F32Buffer>:$out,
    Index:$out_row);
  let assemblyFormat = "$in `[` $in_row `]` `,` $out `[` $out_row `]` attr-dict `:` type($in) `,` type($out)";
}

//===-- matmul -------------------------------------------------------------===//

def Kernel_MatmulTileOp : Kernel_WorkOp<"matmul_tile", "", 10, ["getRowOperations"]> {
  let summary = "one tile of out = in · Wᵀ";
  let description = [{
    Tiles number the output in chunks of `chunk_rows` rows × `row_blocks`
    blocks of 16 weight rows, weight blocks fastest: tile = chunk ·
    ceil(blocks / row_blocks) + b. `rows` is how many rows `in` has. `in` holds
    codes (quantize_row) for a format with integer codes, else f32. Finished
    blocks are rewritten by the epilogue (#quantized.epilogue) while they are in
    the cache. Where `out` is i8 a gated tile leaves codes, as quantize_row
    would make them. With `arg_max` they are not written: of each row the
    largest number of the tile and its column go to out[row, 2·b] and out[row,
    2·b + 1], or −inf and +inf where none is a number.

    Constraints:
    - (C1) `in` is i8 of the row bytes of K columns for code formats, f32 of
      K columns for float formats; `out` is f32 of N columns, with arg_max of
      2 · ceil(blocks / row_blocks), or i8 of the row bytes of N
    - (C2) `up` has the weight's shape, and codes if and only if it has
    - (C3) `up` is there if and only if the epilogue is geglu
    - (C4) i8 comes with `up`, an N that is a multiple of 32 and an even
      row_blocks

    Example:
    ```mlir
    kernel.matmul_tile %w, %q, %y[%tile] rows %n {chunk_rows = 128 : i64, row_blocks = 1 : i64} : !quantized.tensor<1024x640, q5_0>, memref<?x960xi8>, memref<?x1024xf32>
    ```
  }];
  let arguments = (ins Quantized_TensorType:$weight, In<AnyBuffer>:$in,
    Out<AnyBuffer>:$out, Index:$tile, Index:$rows, Size:$chunk_rows,
    Size:$row_blocks, Optional<Quantized_TensorType>:$up,
    OptionalAttr<Quantized_EpilogueAttr>:$epilogue);
  let extraClassDeclaration = Quantized_EpilogueAccessors.accessors;
  let assemblyFormat = [{
    $weight `,` $in `,` $out `[` $tile `]` `rows` $rows (`geglu` $up^)?
    attr-dict `:` type($weight) `,` type($in) `,` type($out)
    (`geglu` type($up)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_MatmulTilesOp : Kernel_Op<"matmul_tiles", [Pure]> {
  let summary = "how many tiles a matmul of `rows` rows has";
  let description = [{
    ceil(rows / chunk_rows) · ceil(ceil(N / 16) / row_blocks), N the weight's
    rows.

    Example:
    ```mlir
    %tiles = kernel.matmul_tiles %n {chunk_rows = 128 : i64, row_blocks = 1 : i64, weight_rows = 1024 : i64}
    ```
  }];
  let arguments = (ins Index:$rows, Size:$weight_rows,
    Size:$chunk_rows,
    Size:$row_blocks);
  let results = (outs Index:$result);
  let assemblyFormat = "$rows attr-dict";
}

def Kernel_ArgMaxRowOp : Kernel_WorkOp<"arg_max_row", "arg_max", 0> {
  let summary = "out[row] = the largest of a row's pairs {number, column}";
  let description = [{
    `in` has a pair for each tile of a matmul_tile with `arg_max`. Of equal
    numbers the lowest column counts; where all columns are +inf, as no number
    was found, the result is {−inf, 0}.

    Constraints:
    - (C1) `in` has an even number of columns, `out` has 2

    Example:
    ```mlir
    kernel.arg_max_row %p, %z[%t] : memref<?x32768xf32>, memref<?x2xf32>
    ```
  }];
  let arguments = (ins In<F32Buffer>:$in, Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$in `,` $out `[` $row `]` attr-dict `:` type($in) `,` type($out)";
  let hasVerifier = 1;
}

//===-- attention ----------------------------------------------------------===//

// Row r at position p sees [max(0, p − window + 1), visible_end] and so blocks
// first(r) … last(r) of 128 positions; G = H / K query heads share a kv head.

def Kernel_AttentionTileOp : Kernel_WorkOp<"attention_tile", "attention", 9, ["getCacheUse"], [AllTypesMatch<["query", "out"]>]> {
  let summary = "attention of one row and one kv head over all its blocks";
  let description = [{
    tile = row · K + kv head. Each block yields (max, sum, acc[E]) for each of
    the G heads, folded left in block order; one division at the end. Writes
    out[row, h·E …] for the heads of the group.

    Constraints:
    - (C1) E divides the query's columns, K divides H, and H / K is 256 at most

    Example:
    ```mlir
    kernel.attention_tile %step, %q, %o[%tile] cache %c {head_dim = 256 : i64, kv_format = #kernel.kv_format<bf16>, kv_heads = 1 : i64, scale = 6.25e-02 : f32, softcap = 0.0 : f32, window = 512 : i64} : memref<?x1024xf32>, memref<?x1024xf32>
    ```
  }];
  let arguments = (ins ReadsCache:$step, In<F32Buffer>:$query,
    Out<F32Buffer>:$out, Index:$tile, Index:$cache, Size:$head_dim,
    Size:$kv_heads, ConfinedAttr<F32Attr, [Finite]>:$scale,
    ConfinedAttr<F32Attr, [FiniteNonNegative]>:$softcap,
    Count:$window, Kernel_KvFormatAttr:$kv_format);
  let assemblyFormat = "$step `,` $query `,` $out `[` $tile `]` `cache` $cache attr-dict `:` type($query) `,` type($out)";
  let hasVerifier = 1;
}

def Kernel_AttentionBlocksOp : Kernel_Op<"attention_blocks", [Pure]> {
  let summary = "the largest number of blocks that a row of this call sees";
  let description = [{
    max over the call's rows of last(r) − first(r) + 1. A phase of attention_block
    has so many tiles a row and kv head: what the rows of this call need, not
    what the context would.

    Example:
    ```mlir
    %blocks = kernel.attention_blocks %step {window = 512 : i64}
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, Count:$window);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_AttentionBlockOp : Kernel_WorkOp<"attention_block", "attention", 9, ["getCacheUse"]> {
  let summary = "(max, sum, acc) of one row, kv head and block";
  let description = [{
    For calls of few rows, whose blocks must be shared among the threads. tile
    = (row · K + kv head) · blocks + b, b counted from the row's first block;
    nothing happens where the row has fewer blocks. Writes, for each of the G
    heads, E + 16 floats at partials[row, ((kv head · G + g) · max_blocks + b) ·
    (E + 16)]: max, sum, 14 unused, acc[E].

    Constraints:
    - (C1) columns of partials = H · max_blocks · (E + 16)
    - (C2) E divides the query's columns, K divides H, and H / K is 256 at most

    Example:
    ```mlir
    kernel.attention_block %step, %q, %p[%tile of %blocks] cache %c {head_dim = 256 : i64, kv_format = #kernel.kv_format<bf16>, kv_heads = 1 : i64, max_blocks = 5 : i64, scale = 6.25e-02 : f32, softcap = 0.0 : f32, window = 512 : i64} : memref<?x1024xf32>, memref<?x5440xf32>
    ```
  }];
  let arguments = (ins ReadsCache:$step, In<F32Buffer>:$query,
    Out<F32Buffer>:$partials, Index:$tile, Index:$blocks, Index:$cache,
    Size:$head_dim, Size:$kv_heads,
    Blocks:$max_blocks, ConfinedAttr<F32Attr, [Finite]>:$scale,
    ConfinedAttr<F32Attr, [FiniteNonNegative]>:$softcap,
    Count:$window, Kernel_KvFormatAttr:$kv_format);
  let assemblyFormat = "$step `,` $query `,` $partials `[` $tile `of` $blocks `]` `cache` $cache attr-dict `:` type($query) `,` type($partials)";
  let hasVerifier = 1;
}

def Kernel_AttentionFoldRowOp : Kernel_WorkOp<"attention_fold_row", "attention_fold", 6> {
  let summary = "folds a row's blocks left in order and divides";
  let description = [{
    acc = fma(acc, exp(m − m'), acc_b · exp(m_b − m')) in block order, m' the larger
    maximum, and one division by the sum at the end: for each head what
    attention_tile gives, to the bit.

    Constraints:
    - (C1) E divides the columns of `out`, which are H · E
    - (C2) columns of partials = H · max_blocks · (E + 16)

    Example:
    ```mlir
    kernel.attention_fold_row %step, %p, %o[%t] {head_dim = 256 : i64, max_blocks = 5 : i64, window = 512 : i64} : memref<?x5440xf32>, memref<?x1024xf32>
    ```
  }];
  let arguments = (ins Kernel_StepType:$step, In<F32Buffer>:$partials,
    Out<F32Buffer>:$out, Index:$row, Size:$head_dim,
    Blocks:$max_blocks, Count:$window);
  let assemblyFormat = "$step `,` $partials `,` $out `[` $row `]` attr-dict `:` type($partials) `,` type($out)";
  let hasVerifier = 1;
}

#endif
