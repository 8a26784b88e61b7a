// SPDX-License-Identifier: Apache-2.0
// gemmac-opt: mlir-opt for the dialects and passes of gemmac. IR in, the passes
// that the command line names, IR out. Registers what gemmac uses and no more:
// every pass that a build runs, so that its crash reproducers run here.
//   gemmac-opt --gemmac-choose-formats=quant=int8 model.mlir
//   gemmac-opt --gemmac-lower-kernel=target=x86_64-avx2 lowered.mlir
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "compiler/fusion/Passes.h"
#include "compiler/lowering/Passes.h"
#include "compiler/quantization/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "targets/cpu/CpuPipeline.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry
      .insert<gemmac::gemma::GemmaDialect, gemmac::quantized::QuantizedDialect,
              gemmac::kernel::KernelDialect, mlir::func::FuncDialect,
              mlir::arith::ArithDialect, mlir::scf::SCFDialect,
              mlir::cf::ControlFlowDialect, mlir::vector::VectorDialect,
              mlir::memref::MemRefDialect, mlir::LLVM::LLVMDialect>();
  gemmac::fusion::registerFusionPasses();
  gemmac::quantization::registerQuantizationPasses();
  gemmac::lowering::registerLoweringPasses();
  gemmac::targets::registerCpuLoweringPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "gemmac's optimizer driver\n", registry));
}
