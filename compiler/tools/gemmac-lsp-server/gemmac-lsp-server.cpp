// SPDX-License-Identifier: Apache-2.0
// gemmac-lsp-server: the language server of .mlir files in gemmac's dialects,
// for an editor. The protocol on stdin and stdout -> errors of the verifiers,
// definitions, uses and hover of what stands in a file. Runs no pass.
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry
      .insert<gemmac::gemma::GemmaDialect, gemmac::quantized::QuantizedDialect,
              gemmac::kernel::KernelDialect, mlir::func::FuncDialect,
              mlir::arith::ArithDialect, mlir::scf::SCFDialect,
              mlir::vector::VectorDialect, mlir::memref::MemRefDialect,
              mlir::LLVM::LLVMDialect>();
  mlir::LogicalResult served = mlir::MlirLspServerMain(argc, argv, registry);
  return mlir::failed(served) ? EXIT_FAILURE : EXIT_SUCCESS;
}
