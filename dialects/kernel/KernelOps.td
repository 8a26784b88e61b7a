// SPDX-License-Identifier: Apache-2.0
// Ops of the kernel dialect: control and memory first, then tile operations.
// The order of every sum in a tile operation is docs/numerics.md's.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNELOPS_TD
#define GEMMAC_DIALECTS_KERNEL_KERNELOPS_TD

include "dialects/kernel/KernelDialect.td"
include "dialects/quantized/QuantizedDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

def F32Buffer : MemRefRankOf<[F32], [2]>;
def I8Buffer : MemRefRankOf<[I8], [2]>;
def AnyBuffer : AnyTypeOf<[F32Buffer, I8Buffer]>;
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
  let assemblyFormat = "attr-dict";
}

def Kernel_RowCountOp : Kernel_Op<"row_count", [Pure]> {
  let summary = "T, the rows of this call";
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_WantedCountOp : Kernel_Op<"wanted_count", [Pure]> {
  let summary = "rows whose logits are wanted in this call of the head";
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_WantedRowOp : Kernel_Op<"wanted_row", [Pure]> {
  let summary = "which row of the last step the i-th wanted row is";
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
    Constraints:
    - (C1) offset ≥ 0 and a multiple of 64
  }];
  let arguments = (ins Kernel_StepType:$step, I64Attr:$offset);
  let results = (outs AnyBuffer:$result);
  let assemblyFormat = "$step `at` $offset attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Kernel_HiddenOp : Kernel_Op<"hidden", [Pure]> {
  let summary = "the last step's hidden rows: offset 0 of the arena";
  let description = [{
    Written by the step functions, read by the head; [T, D].
  }];
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs F32Buffer:$result);
  let assemblyFormat = "$step attr-dict `:` type($result)";
}

def Kernel_LogitsOp : Kernel_Op<"logits", [Pure]> {
  let summary = "the caller's buffer: logits, [wanted, V], or in @arg_max [wanted, 2]";
  let arguments = (ins Kernel_StepType:$step);
  let results = (outs F32Buffer:$result);
  let assemblyFormat = "$step attr-dict `:` type($result)";
}

def Kernel_ModelOp : Kernel_Op<"model", [Symbol]> {
  let summary = "what the compiled model exports: gemma_model_code";
  let description = [{
    `kv_layers` has {first_slot, ring_blocks, window, block_bytes} a layer.
    PlanBuffers sets arena_bytes, PlanWeights weight_bytes, the target the
    rest. `arg_max` is there when FuseHeadSampling fired.

    Constraints:
    - (C1) each entry of kv_layers is a dictionary that has those four as i64
    - (C2) none of the four is negative, and ring_blocks > 0
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$decode,
    FlatSymbolRefAttr:$batch, FlatSymbolRefAttr:$prefill,
    FlatSymbolRefAttr:$head, I64Attr:$batch_rows, I64Attr:$prefill_rows,
    I64Attr:$head_rows, I64Attr:$vocabulary, I64Attr:$width, I64Attr:$context,
    I64Attr:$kv_slots, ArrayAttr:$kv_layers,
    OptionalAttr<I64Attr>:$arena_bytes, OptionalAttr<I64Attr>:$weight_bytes,
    OptionalAttr<FlatSymbolRefAttr>:$arg_max);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
}

//===-- row operations -----------------------------------------------------===//

def Kernel_EmbedRowOp : Kernel_Op<"embed_row"> {
  let summary = "out[row] = weight[token of the row] · scale, or the row's own embedding";
  let arguments = (ins Kernel_StepType:$step, Quantized_TensorType:$weight,
    Out<F32Buffer>:$out, Index:$row, F32Attr:$scale);
  let assemblyFormat = "$step `,` $weight `,` $out `[` $row `]` attr-dict `:` type($weight) `,` type($out)";
}

def Kernel_RopeAnglesRowOp : Kernel_Op<"rope_angles_row"> {
  let summary = "out[row] = cosines, then sines, of position · inv_freq";
  let arguments = (ins Kernel_StepType:$step, Out<F32Buffer>:$out, Index:$row,
    F64Attr:$theta, F64Attr:$factor);
  let assemblyFormat = "$step `,` $out `[` $row `]` attr-dict `:` type($out)";
}

def Kernel_RmsNormRowOp : Kernel_Op<"rms_norm_row"> {
  let summary = "out[row] = rms_norm of every segment of in[row]";
  let description = [{
    Sum of squares by fma in 16 lanes and the fixed tree, division by n,
    + eps, 1/sqrt, (x·r)·(gain + gain_offset), + residual if there is one.
  }];
  let arguments = (ins In<F32Buffer>:$in, Quantized_TensorType:$gain,
    Out<F32Buffer>:$out, Index:$row, F32Attr:$eps, F32Attr:$gain_offset,
    OptionalIn:$residual);
  let assemblyFormat = [{
    $in `,` $gain `,` $out `[` $row `]` attr-dict `:` type($in) `,`
    type($gain) `,` type($out) (`residual` $residual^ `:` type($residual))?
  }];
}

def Kernel_QuantizeRowOp : Kernel_Op<"quantize_row"> {
  let summary = "out[row] = codes, scales and code sums of in[row]";
  let description = [{
    A row of K columns becomes activationRowBytes(K) bytes: K codes (s8), K/32
    scales (f32), K/32 sums of 32 codes (i32), K/16 sums of 16 codes (i32),
    padded to 64. With `norm` the row is normalised first, as by rms_norm_row.
  }];
  let arguments = (ins In<F32Buffer>:$in, Out<I8Buffer>:$out, Index:$row,
    Optional<Quantized_TensorType>:$gain, OptionalAttr<F32Attr>:$eps,
    OptionalAttr<F32Attr>:$gain_offset);
  let assemblyFormat = [{
    $in `,` $out `[` $row `]` (`norm` $gain^)? attr-dict `:` type($in) `,`
    type($out) (`norm` type($gain)^)?
  }];
}

def Kernel_RopeRowOp : Kernel_Op<"rope_row"> {
  let summary = "out[row] = in[row] rotated by angles[row]";
  let description = [{
    With `norm` each head is normalised by the gain before, as by rms_norm_row.
  }];
  let arguments = (ins In<F32Buffer>:$in, In<F32Buffer>:$angles,
    Out<F32Buffer>:$out, Index:$row, Optional<Quantized_TensorType>:$gain,
    OptionalAttr<F32Attr>:$eps, OptionalAttr<F32Attr>:$gain_offset);
  let assemblyFormat = [{
    $in `,` $angles `,` $out `[` $row `]` (`norm` $gain^)? attr-dict `:`
    type($in) `,` type($angles) `,` type($out) (`norm` type($gain)^)?
  }];
}

def Kernel_KvStoreRowOp : Kernel_Op<"kv_store_row", [AttrSizedOperandSegments]> {
  let summary = "writes key[row] and value[row] into the row's session's cache";
  let description = [{
    `layer` is the index into the model's kv_layers. Elements are f32 or bf16
    (`kv_format`), rounded half to even. With `rope` the key is rotated, and with
    `norm` normalised, on its way as by rope_row.
  }];
  let arguments = (ins Kernel_StepType:$step, In<F32Buffer>:$key,
    In<F32Buffer>:$value, Index:$row, Index:$layer, I64Attr:$head_dim,
    StrAttr:$kv_format, OptionalIn:$angles,
    Optional<Quantized_TensorType>:$gain, OptionalAttr<F32Attr>:$eps,
    OptionalAttr<F32Attr>:$gain_offset);
  let assemblyFormat = [{
    $step `,` $key `,` $value `[` $row `]` `layer` $layer (`rope` $angles^)?
    (`norm` $gain^)? attr-dict `:` type($key) `,` type($value)
    (`rope` type($angles)^)? (`norm` type($gain)^)?
  }];
}

def Kernel_GegluRowOp : Kernel_Op<"geglu_row", [AllTypesMatch<["gate", "up", "out"]>]> {
  let summary = "out[row] = gelu_tanh(gate[row]) · up[row]";
  let arguments = (ins In<F32Buffer>:$gate, In<F32Buffer>:$up,
    Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$gate `,` $up `,` $out `[` $row `]` attr-dict `:` type($gate)";
}

def Kernel_AddRowOp : Kernel_Op<"add_row", [AllTypesMatch<["lhs", "rhs", "out"]>]> {
  let summary = "out[row] = lhs[row] + rhs[row]";
  let arguments = (ins In<F32Buffer>:$lhs, In<F32Buffer>:$rhs,
    Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$lhs `,` $rhs `,` $out `[` $row `]` attr-dict `:` type($lhs)";
}

def Kernel_SoftcapRowOp : Kernel_Op<"softcap_row"> {
  let summary = "out[row] = cap · tanh(in[row] / cap)";
  let arguments = (ins In<F32Buffer>:$in, Out<F32Buffer>:$out, Index:$row,
    F32Attr:$cap);
  let assemblyFormat = "$in `,` $out `[` $row `]` attr-dict `:` type($in) `,` type($out)";
}

def Kernel_CopyRowOp : Kernel_Op<"copy_row"> {
  let summary = "out[out_row] = in[in_row]";
  let arguments = (ins In<F32Buffer>:$in, Index:$in_row, Out<F32Buffer>:$out,
    Index:$out_row);
  let assemblyFormat = "$in `[` $in_row `]` `,` $out `[` $out_row `]` attr-dict `:` type($in) `,` type($out)";
}

//===-- matmul -------------------------------------------------------------===//

def Kernel_MatmulTileOp : Kernel_Op<"matmul_tile"> {
  let summary = "one tile of out = in · Wᵀ";
  let description = [{
    Tiles number the output in chunks of `chunk_rows` rows × `row_blocks`
    blocks of 16 weight rows, weight blocks fastest: tile = chunk ·
    ceil(blocks / row_blocks) + b. `rows` is how many rows `in` has. `in` holds
    codes (quantize_row) for a format with integer codes, else f32. Finished
    blocks are rewritten while they are in the cache: `geglu` makes
    gelu_tanh(in · Wᵀ) · (in · upᵀ), `softcap` cap · tanh(x / cap). Where `out`
    is i8 a gated tile leaves codes, as quantize_row would make them. With
    `arg_max` they are not written: of each row the largest number of the tile
    and its column go to out[row, 2·b] and out[row, 2·b + 1], or −inf and
    +inf where none is a number. Of equal ones the lowest column counts.

    Constraints:
    - (C1) `in` is i8 of activationRowBytes(K) columns for code formats, f32 of
      K columns for float formats; `out` is f32 of N columns, with arg_max of
      2 · ceil(blocks / row_blocks), or i8 of activationRowBytes(N)
    - (C2) chunk_rows > 0 and row_blocks > 0
    - (C3) `up` has the weight's shape, and codes if and only if it has
    - (C4) arg_max comes without `up`
    - (C5) i8 comes with `up`, an N that is a multiple of 32 and an even
      row_blocks
  }];
  let arguments = (ins Quantized_TensorType:$weight, In<AnyBuffer>:$in,
    Out<AnyBuffer>:$out, Index:$tile, Index:$rows, I64Attr:$chunk_rows,
    I64Attr:$row_blocks, Optional<Quantized_TensorType>:$up,
    OptionalAttr<F32Attr>:$softcap, UnitAttr:$arg_max);
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
  }];
  let arguments = (ins Index:$rows, I64Attr:$weight_rows, I64Attr:$chunk_rows,
    I64Attr:$row_blocks);
  let results = (outs Index:$result);
  let assemblyFormat = "$rows attr-dict";
}

def Kernel_ArgMaxRowOp : Kernel_Op<"arg_max_row"> {
  let summary = "out[row] = the largest of a row's pairs {number, column}";
  let description = [{
    `in` has a pair for each tile of a matmul_tile with `arg_max`. Of equal
    numbers the lowest column counts; where all columns are +inf, as no number
    was found, the result is {−inf, 0}.

    Constraints:
    - (C1) `in` has an even number of columns, `out` has 2
  }];
  let arguments = (ins In<F32Buffer>:$in, Out<F32Buffer>:$out, Index:$row);
  let assemblyFormat = "$in `,` $out `[` $row `]` attr-dict `:` type($in) `,` type($out)";
  let hasVerifier = 1;
}

//===-- attention ----------------------------------------------------------===//

// Row r at position p sees [max(0, p − window + 1), visible_end] and so blocks
// first(r) … last(r) of 128 positions; G = H / K query heads share a kv head.

def Kernel_AttentionTileOp : Kernel_Op<"attention_tile"> {
  let summary = "attention of one row and one kv head over all its blocks";
  let description = [{
    tile = row · K + kv head. Each block yields (max, sum, acc[E]) for each of
    the G heads, folded left in block order; one division at the end. Writes
    out[row, h·E …] for the heads of the group.
  }];
  let arguments = (ins Kernel_StepType:$step, In<F32Buffer>:$query,
    Out<F32Buffer>:$out, Index:$tile, Index:$layer, I64Attr:$head_dim,
    I64Attr:$kv_heads, F32Attr:$scale, F32Attr:$softcap, I64Attr:$window,
    StrAttr:$kv_format);
  let assemblyFormat = "$step `,` $query `,` $out `[` $tile `]` `layer` $layer attr-dict `:` type($query) `,` type($out)";
}

def Kernel_AttentionBlocksOp : Kernel_Op<"attention_blocks", [Pure]> {
  let summary = "the largest number of blocks that a row of this call sees";
  let arguments = (ins Kernel_StepType:$step, I64Attr:$window);
  let results = (outs Index:$result);
  let assemblyFormat = "$step attr-dict";
}

def Kernel_AttentionBlockOp : Kernel_Op<"attention_block"> {
  let summary = "(max, sum, acc) of one row, kv head and block";
  let description = [{
    For calls of few rows, whose blocks must be shared among the threads. tile
    = (row · K + kv head) · blocks + b, b counted from the row's first block;
    nothing happens where the row has fewer blocks. Writes, for each of the G
    heads, E + 16 floats at partials[row, ((kv head · G + g) · max_blocks + b) ·
    (E + 16)]: max, sum, 14 unused, acc[E].

    Constraints:
    - (C1) columns of partials = H · max_blocks · (E + 16)
    - (C2) head_dim, kv_heads and max_blocks > 0; E divides the query's
      columns, K divides H
  }];
  let arguments = (ins Kernel_StepType:$step, In<F32Buffer>:$query,
    Out<F32Buffer>:$partials, Index:$tile, Index:$blocks, Index:$layer,
    I64Attr:$head_dim, I64Attr:$kv_heads, I64Attr:$max_blocks, F32Attr:$scale,
    F32Attr:$softcap, I64Attr:$window, StrAttr:$kv_format);
  let assemblyFormat = "$step `,` $query `,` $partials `[` $tile `of` $blocks `]` `layer` $layer attr-dict `:` type($query) `,` type($partials)";
  let hasVerifier = 1;
}

def Kernel_AttentionFoldRowOp : Kernel_Op<"attention_fold_row"> {
  let summary = "folds a row's blocks left in order and divides";
  let arguments = (ins Kernel_StepType:$step, In<F32Buffer>:$partials,
    Out<F32Buffer>:$out, Index:$row, I64Attr:$head_dim, I64Attr:$max_blocks,
    I64Attr:$window);
  let assemblyFormat = "$step `,` $partials `,` $out `[` $row `]` attr-dict `:` type($partials) `,` type($out)";
}

#endif
