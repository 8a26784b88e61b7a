// SPDX-License-Identifier: Apache-2.0
// Passes of the lowering stage, in pipeline order.
#ifndef GEMMAC_COMPILER_LOWERING_PASSES_TD
#define GEMMAC_COMPILER_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineLayers : Pass<"gemmac-outline-layers", "::mlir::ModuleOp"> {
  let summary = "layers equal but for their weights become one function";
  let description = [{
    `gemma.layer` ops whose regions are equal but for the symbols of their
    weights are one kind: `func.func private @layer_<kind>(inputs…, %index,
    %cache)` with the attribute `gemma.layer_kind`. A reference becomes
    `quantized.reference @table[%index]` of a `quantized.weight_table` with an
    entry a layer of the kind. The layer becomes a `kernel.call_layer` with
    its number among all layers, its index within the kind, and a cache of its
    own. Code is thus built once a kind,
    whatever the depth.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::gemmac::kernel::KernelDialect",
    "::gemmac::quantized::QuantizedDialect"];
}

def PlanKvCache : Pass<"gemmac-plan-kv-cache", "::mlir::ModuleOp"> {
  let summary = "gives every layer its ring of KV blocks";
  let description = [{
    For each call of a layer function, in order, from its `gemma.attention`:
    a full layer has ceil(context / 128) blocks; a sliding one
    roundup(window − 1 + max(prefill_rows, 8), 128) / 128, so that a prefill
    never overwrites what its first row still sees, and never more than a full
    one. A block holds 128 positions of keys and values: 2 · K · 128 · E
    elements.

    Sets `kernel.kv_plan` on the module.
  }];
  let options = [
    Option<"kvFormat", "kv-format", "std::string", "\"bf16\"",
           "elements of the cache: bf16 or f32">,
    Option<"prefillRows", "prefill-rows", "int64_t", "512",
           "rows of the largest call">,
    Option<"ctxSize", "ctx-size", "int64_t", "0",
           "positions of a session; 0: the model's">
  ];
  let dependentDialects = ["::gemmac::gemma::GemmaDialect",
    "::gemmac::kernel::KernelDialect"];
}

def LowerToKernel : Pass<"gemmac-lower-to-kernel", "::mlir::ModuleOp"> {
  let summary = "tensors become buffers, ops become phases of tiles";
  let description = [{
    `@forward` becomes `@decode`, `@batch`, `@prefill` (up to
    `gemma.wanted_rows`) and `@head` (what follows it); each layer function
    becomes one function for each of the first three, `@layer_<kind>_<entry>`.
    The entries differ in the rows of a matmul's chunk and in attention: by
    block and fold for few rows, whole rows in prefill. How large tiles are is
    the target's to say (Target::tiling); the options are what it says. Every tensor has a
    buffer of its own and every op its own phase: PlanPhases and PlanBuffers
    merge them. `kernel.model` collects the numbers.

    Buffers among a function's arguments never overlap. `head` row i is
    the call's i-th wanted row.
  }];
  let options = [
    Option<"prefillRows", "prefill-rows", "int64_t", "512",
           "rows of a prefill call, at most">,
    Option<"batchRows", "batch-rows", "int64_t", "8",
           "rows of a batch call, at most">,
    Option<"headRows", "head-rows", "int64_t", "32",
           "rows of a head call, at most">,
    Option<"prefillChunkRows", "prefill-chunk-rows", "int64_t", "128",
           "rows of a matmul tile in prefill, at most">,
    Option<"leastTiles", "least-tiles", "int64_t", "64",
           "tiles of a matmul's chunk, where it has as many row blocks">,
    Option<"mostRowBlocks", "most-row-blocks", "int64_t", "16",
           "row blocks of a matmul tile, at most">,
    Option<"kernelName", "kernel-name", "std::string", "\"model\"",
           "the model's symbol is gemma_model_<name>; a C identifier">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
    "::gemmac::kernel::KernelDialect",
    "::gemmac::quantized::QuantizedDialect"];
}

def QuantizeTiles : Pass<"gemmac-quantize-tiles", "::mlir::ModuleOp"> {
  let summary = "a gated matmul writes codes where only their maker reads it";
  let description = [{
    A `kernel.quantize_row` alone in its phase, without a norm, that is the only
    reader of a gated `kernel.matmul_tile`'s output becomes part of it: the
    tile's `out` is the codes, the phase and the f32 buffer go. A tile has even
    row blocks, so that it holds whole groups of 32. Runs before PlanPhases.
  }];
  let dependentDialects = ["::gemmac::kernel::KernelDialect"];
}

def PlanPhases : Pass<"gemmac-plan-phases", "::mlir::ModuleOp"> {
  let summary = "merges phases, so that fewer barriers stand between them";
  let description = [{
    Each phase moves to the earliest phase where it may run: row operations of
    one row count join one tile body when they touch only their own row of
    what they share; work without a dependency becomes another segment of the
    same phase. Calls are never crossed. The remark counts barriers of
    the function itself.
  }];
  let dependentDialects = ["::gemmac::kernel::KernelDialect"];
}

def PlanBuffers : Pass<"gemmac-plan-buffers", "::mlir::ModuleOp"> {
  let summary = "every buffer gets its place in one static arena";
  let description = [{
    `kernel.alloc` becomes `kernel.arena` at a multiple of 64. A buffer lives
    from the first to the last phase or call that uses it; buffers that live
    together do not overlap (first fit). A function's buffers start above all
    that lives in its callers at a call of it. The hidden rows have offset 0;
    all else of every entry lies above them, so that a head may follow any
    step. Sets `arena_bytes` of kernel.model.
  }];
  let dependentDialects = ["::gemmac::kernel::KernelDialect"];
}

def PlanWeights : Pass<"gemmac-plan-weights", "::mlir::ModuleOp"> {
  let summary = "orders the packed weights as one token reads them";
  let description = [{
    Sets `packed_offset` (a multiple of 64) of every weight in the order of
    use by @decode, then @head, and `weight_bytes` of kernel.model. A table
    that only `kernel.embed_row` reads comes last: a token reads one row of
    it. References, tables and weights that nothing uses are erased.
  }];
  let dependentDialects = ["::gemmac::kernel::KernelDialect",
    "::gemmac::quantized::QuantizedDialect"];
}

#endif
