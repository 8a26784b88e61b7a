// SPDX-License-Identifier: Apache-2.0
// The kernel dialect: buffers, phases and tiles, between tensors and a target.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNELDIALECT_TD
#define GEMMAC_DIALECTS_KERNEL_KERNELDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "dialects/kernel/KernelEnums.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let summary = "buffers, parallel phases and tile operations";
  let description = [{
    A step function is a sequence of phases. All threads run all of it; the
    tiles of a phase are shared out, and a barrier stands behind each phase.
    Tiles never see the thread's number, so results cannot depend on it.
    Buffers are memrefs [rows, columns] whose rows are the call's; weights keep
    their `!quantized.tensor` type and come from `quantized.reference`.
    Letters: T rows, H query heads, K kv heads, E head width, N and K of a
    matmul (out and in).

    Attributes: of a module `kernel.kv_plan`, a #kernel.kv_plan, between
    PlanKvCache and LowerToKernel; of a function `kernel.max_rows`, the rows of
    a call at most.
  }];
  let cppNamespace = "::gemmac::kernel";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect",
                           "::mlir::func::FuncDialect"];
}

def Kernel_KvFormatAttr : EnumAttr<Kernel_Dialect, Kernel_KvFormat, "kv_format"> {
  let assemblyFormat = "`<` $value `>`";
}

def Kernel_KvLayerAttr : AttrDef<Kernel_Dialect, "KvLayer"> {
  let mnemonic = "kv_layer";
  let summary = "where one cache of keys and values lies among a session's blocks";
  let description = [{
    Slots `first_slot` … `first_slot + ring_blocks − 1` of the session's table
    hold blocks of 128 positions, each `block_bytes` long; position p stands in
    block (p / 128) mod ring_blocks. A row sees `window` positions, 0 means all.

    Constraints:
    - (C1) none is negative, ring_blocks is not 0, block_bytes is 1 to 2⁴⁰

    Example: `#kernel.kv_layer<first_slot = 0, ring_blocks = 8, window = 512, block_bytes = 131072>`
  }];
  let parameters = (ins "int64_t":$first_slot, "int64_t":$ring_blocks,
                        "int64_t":$window, "int64_t":$block_bytes);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_KvPlanAttr : AttrDef<Kernel_Dialect, "KvPlan"> {
  let mnemonic = "kv_plan";
  let summary = "a session's KV cache: its format, its positions, its layers";
  let description = [{
    `layers` is indexed by the cache index of `kernel.call_layer`; `slots` is
    how many blocks a session has at most.

    Constraints:
    - (C1) positions > 0
    - (C2) no layer's ring goes beyond `slots`

    Example: `#kernel.kv_plan<format = bf16, positions = 1000, slots = 8, layers = [<first_slot = 0, ring_blocks = 8, window = 0, block_bytes = 131072>]>`
  }];
  let parameters = (ins EnumParameter<Kernel_KvFormat>:$format,
    "int64_t":$positions, "int64_t":$slots,
    OptionalArrayRefParameter<"KvLayerAttr">:$layers);
  let assemblyFormat = [{
    `<` `format` `=` $format `,` `positions` `=` $positions `,` `slots` `=` $slots
    (`,` `layers` `=` `[` $layers^ `]`)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    // The module attribute that has it.
    static constexpr ::llvm::StringLiteral kModuleAttribute = "kernel.kv_plan";
  }];
}

def Kernel_StepType : TypeDef<Kernel_Dialect, "Step"> {
  let mnemonic = "step";
  let summary = "the arguments of a call: gemma_step of ModelAbi.h, and the thread";
}

#endif
