// SPDX-License-Identifier: Apache-2.0
// gemmac-opt: mlir-opt for the dialects and passes of gemmac. IR in, the passes
// that the command line names, IR out. Registers what gemmac uses and no more.
//   gemmac-opt --gemmac-choose-formats=quant=int8 model.mlir
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "compiler/fusion/Passes.h"
#include "compiler/lowering/Passes.h"
#include "compiler/quantization/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry
      .insert<gemmac::gemma::GemmaDialect, gemmac::quantized::QuantizedDialect,
              gemmac::kernel::KernelDialect, mlir::func::FuncDialect,
              mlir::arith::ArithDialect, mlir::scf::SCFDialect,
              mlir::vector::VectorDialect, mlir::memref::MemRefDialect,
              mlir::LLVM::LLVMDialect>();
  gemmac::fusion::registerFusionPasses();
  gemmac::quantization::registerQuantizationPasses();
  gemmac::lowering::registerLoweringPasses();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "gemmac's optimizer driver\n", registry));
}
