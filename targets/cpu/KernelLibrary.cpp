// SPDX-License-Identifier: Apache-2.0
// The kernel library: see KernelLibrary.h.
#include "targets/cpu/KernelLibrary.h"

using namespace mlir;

namespace gemmac::targets {

func::FuncOp KernelLibrary::get(StringRef name, TypeRange arguments,
                                Location loc, Body body, int64_t scratchBytes) {
  scratch = std::max(scratch, scratchBytes);
  if (auto found = module.lookupSymbol<func::FuncOp>(name)) return found;
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, loc, name,
                                       builder.getFunctionType(arguments, {}));
  function.setPrivate();
  // `no_inline` on func.func is dropped on the way to LLVM; passthrough stays.
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Emitter e(builder, loc);
  body(e, entry->getArguments());
  func::ReturnOp::create(builder, loc);
  return function;
}

void KernelLibrary::call(OpBuilder &builder, Operation *op, StringRef name,
                         ValueRange operands, Body body, int64_t scratchBytes) {
  Location loc = op->getLoc();
  Emitter e(builder, loc);
  SmallVector<Value> arguments;
  for (Value operand : operands)
    arguments.push_back(operand.getType().isIndex() ? e.fromIndex(operand)
                                                    : operand);
  func::FuncOp function =
      get(name, ValueRange(arguments).getTypes(), loc, body, scratchBytes);
  func::CallOp::create(builder, loc, function, arguments);
}

Value KernelLibrary::constants(Emitter &e, StringRef name,
                               DenseElementsAttr values) {
  if (!module.lookupSymbol(name)) {
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(values.getElementType(),
                                         values.getNumElements());
    LLVM::GlobalOp::create(builder, e.loc, type, /*isConstant=*/true,
                           LLVM::Linkage::Private, name, values,
                           /*alignment=*/64);
  }
  return LLVM::AddressOfOp::create(e.b, e.loc, e.ptrType(), name);
}

}  // namespace gemmac::targets
