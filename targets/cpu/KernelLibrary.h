// SPDX-License-Identifier: Apache-2.0
// The kernels of one module: private functions that tile operations call, each
// made once for its operation, sizes, formats and tile (unrolled bodies compile
// ten times slower and run no faster).
#ifndef GEMMAC_TARGETS_CPU_KERNELLIBRARY_H
#define GEMMAC_TARGETS_CPU_KERNELLIBRARY_H

#include <string>

#include "llvm/ADT/bit.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "targets/cpu/CpuKernels.h"

namespace gemmac::targets {

// A float's bits, for the name of a kernel that depends on it.
inline std::string floatBits(float value) {
  return std::to_string(llvm::bit_cast<uint32_t>(value));
}

class KernelLibrary {
 public:
  KernelLibrary(mlir::ModuleOp module, const CpuKernels &cpu)
      : cpu(cpu), module(module) {}

  using Body = llvm::function_ref<void(Emitter &, mlir::ValueRange)>;
  // The function of that name; made with `body` on first use. The name says
  // everything that the body depends on. scratchBytes: what it uses of the
  // thread's scratch.
  mlir::func::FuncOp get(llvm::StringRef name, mlir::TypeRange arguments,
                         mlir::Location loc, Body body,
                         int64_t scratchBytes = 0);
  // Calls the kernel of an operation with `operands` (index ones become i64).
  void call(mlir::OpBuilder &builder, mlir::Operation *op, llvm::StringRef name,
            mlir::ValueRange operands, Body body, int64_t scratchBytes = 0);
  // A private constant array.
  mlir::Value constants(Emitter &e, llvm::StringRef name,
                        mlir::DenseElementsAttr values);

  int64_t scratchBytes() const { return scratch; }
  const CpuKernels &cpu;

 private:
  mlir::ModuleOp module;
  int64_t scratch = 0;
};

}  // namespace gemmac::targets

#endif
