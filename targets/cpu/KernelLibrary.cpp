// SPDX-License-Identifier: Apache-2.0
// The kernel library: see KernelLibrary.h.
#include "targets/cpu/KernelLibrary.h"

#include <cassert>

using namespace mlir;

namespace gemmac::targets {

KernelKey kernelKey(Operation *op) {
  Builder b(op->getContext());
  Attribute properties = op->getPropertiesAsAttribute();
  return b.getArrayAttr(
      {b.getStringAttr(op->getName().getStringRef()),
       properties ? properties : b.getUnitAttr(),
       b.getTypeArrayAttr(SmallVector<Type>(op->getOperandTypes()))});
}

std::string KernelLibrary::freeName(StringRef name) {
  std::string unique = name.str();
  for (int64_t i = 2; module.lookupSymbol(unique); ++i)
    unique = (name + "_" + Twine(i)).str();
  return unique;
}

func::FuncOp KernelLibrary::get(KernelKey key, StringRef name,
                                TypeRange arguments, Location loc, Body body,
                                int64_t scratchBytes) {
  scratch = std::max(scratch, scratchBytes);
  if (func::FuncOp found = kernels.lookup(key)) {
    assert(TypeRange(found.getFunctionType().getInputs()) == arguments &&
           "a key says what the kernel is called with");
    return found;
  }
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, loc, freeName(name),
                                       builder.getFunctionType(arguments, {}));
  kernels[key] = function;
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
      get(kernelKey(op), name, ValueRange(arguments).getTypes(), loc, body,
          scratchBytes);
  func::CallOp::create(builder, loc, function, arguments);
}

Value KernelLibrary::constants(Emitter &e, StringRef name,
                               DenseElementsAttr values) {
  std::string &symbol =
      tables[e.b.getArrayAttr({e.b.getStringAttr(name), values})];
  if (symbol.empty()) {
    symbol = freeName(name);
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(values.getElementType(),
                                         values.getNumElements());
    LLVM::GlobalOp::create(builder, e.loc, type, /*isConstant=*/true,
                           LLVM::Linkage::Private, symbol, values,
                           /*alignment=*/64);
  }
  return LLVM::AddressOfOp::create(e.b, e.loc, e.ptrType(), symbol);
}

}  // namespace gemmac::targets
