// SPDX-License-Identifier: Apache-2.0
// The pass of the target stage that is gemmac's own, for all CPU targets; MLIR's
// conversions to the LLVM dialect follow it (CpuPipeline.cpp).
#ifndef GEMMAC_TARGETS_CPU_PASSES_TD
#define GEMMAC_TARGETS_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerKernel : Pass<"gemmac-lower-kernel", "::mlir::ModuleOp"> {
  let summary = "phases become loops, tiles calls of kernels, the model an export";
  let description = [{
    A `kernel.phase` becomes a loop that asks the runtime for tiles
    (`gemma_next_tile`) and ends at its barrier (`gemma_phase_end`). A tile
    operation becomes a call of a kernel: a private function in `arith`,
    `vector`, `scf` and LLVM-dialect memory operations, made once for all
    operations of one name, one set of properties and one set of operand types.
    What the target's instructions do better than plain vectors, dot products of
    8-bit codes above all, is its own (`targets/cpu/CpuKernels.h`). Buffers,
    weights and the step become pointers, as in `runtime/include/gemma/ModelAbi.h`.

    `kernel.model` becomes the constant that the executable links to, with its
    entry points and the table of KV layers; weights and their tables go, as
    offsets into the weights section stand where they were named. Everything but
    the constant is internal.

    Not done: the place of a buffer or weight (PlanBuffers and PlanWeights must
    have run), and anything of the instruction set beyond the intrinsics that
    the target names.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"portable\"",
           "the CPU target, as `gemmac build --target` takes it">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif
