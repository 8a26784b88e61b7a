// SPDX-License-Identifier: Apache-2.0
// The kernel dialect: buffers, phases and tiles, between tensors and a target.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNELDIALECT_TD
#define GEMMAC_DIALECTS_KERNEL_KERNELDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

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
  }];
  let cppNamespace = "::gemmac::kernel";
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect"];
}

def Kernel_StepType : TypeDef<Kernel_Dialect, "Step"> {
  let mnemonic = "step";
  let summary = "the arguments of a call: gemma_step of ModelAbi.h, and the thread";
}

#endif
