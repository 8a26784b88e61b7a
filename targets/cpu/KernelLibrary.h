// SPDX-License-Identifier: Apache-2.0
// The kernels of one module: private functions that tile operations call, each
// made once for its operation, sizes, formats and tile (unrolled bodies compile
// ten times slower and run no faster). What makes two kernels the same is their
// key; their names are for people, tests and `perf`.
#ifndef GEMMAC_TARGETS_CPU_KERNELLIBRARY_H
#define GEMMAC_TARGETS_CPU_KERNELLIBRARY_H

#include <concepts>
#include <string>

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/bit.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "targets/cpu/CpuKernels.h"

namespace gemmac::targets {

// A float's bits, for the name of a kernel that depends on it.
inline std::string floatBits(float value) {
  return std::to_string(llvm::bit_cast<uint32_t>(value));
}

// Everything that a kernel's body depends on. Attributes are unique, so that
// keys are compared whole and by their address.
using KernelKey = mlir::Attribute;

// Of an operation's kernel: its name, its properties and its operands' types.
// A body reads nothing else of its operation.
KernelKey kernelKey(mlir::Operation *op);

// Of a kernel that several operations' kernels call: what it is, then what it
// is for, in a fixed order.
//   kernelKey(context, "attention_fold", width)
inline mlir::Attribute keyPart(mlir::Builder &b, llvm::StringRef part) {
  return b.getStringAttr(part);
}
template <typename Number>
  requires(std::integral<Number> || std::is_enum_v<Number>)
mlir::Attribute keyPart(mlir::Builder &b, Number part) {
  return b.getI64IntegerAttr(int64_t(part));
}
inline mlir::Attribute keyPart(mlir::Builder &b, float part) {
  return b.getF32FloatAttr(part);
}
inline mlir::Attribute keyPart(mlir::Builder &, mlir::Type part) {
  return mlir::TypeAttr::get(part);
}
template <typename... Parts>
KernelKey kernelKey(mlir::MLIRContext *context, llvm::StringRef what,
                    const Parts &...parts) {
  mlir::Builder b(context);
  return b.getArrayAttr({keyPart(b, what), keyPart(b, parts)...});
}

class KernelLibrary {
 public:
  KernelLibrary(mlir::ModuleOp module, const CpuKernels &cpu)
      : cpu(cpu), module(module) {}

  using Body = llvm::function_ref<void(Emitter &, mlir::ValueRange)>;
  // The function with that key; made with `body` on first use. It is called
  // `name`, with a number behind it where another symbol of the module is
  // called so. scratchBytes: what it uses of the thread's scratch.
  mlir::func::FuncOp get(KernelKey key, llvm::StringRef name,
                         mlir::TypeRange arguments, mlir::Location loc,
                         Body body, int64_t scratchBytes = 0);
  // Calls the kernel of an operation with `operands` (index ones become i64).
  void call(mlir::OpBuilder &builder, mlir::Operation *op, llvm::StringRef name,
            mlir::ValueRange operands, Body body, int64_t scratchBytes = 0);
  // A private constant array, made once for its name and values.
  mlir::Value constants(Emitter &e, llvm::StringRef name,
                        mlir::DenseElementsAttr values);

  int64_t scratchBytes() const { return scratch; }
  const CpuKernels &cpu;

 private:
  std::string freeName(llvm::StringRef name);

  mlir::ModuleOp module;
  llvm::DenseMap<KernelKey, mlir::func::FuncOp> kernels;
  llvm::DenseMap<mlir::Attribute, std::string> tables;  // key -> symbol
  int64_t scratch = 0;
};

}  // namespace gemmac::targets

#endif
