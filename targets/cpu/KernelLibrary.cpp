// SPDX-License-Identifier: Apache-2.0
// The kernel library: function cache, constants, ABI fields, and the dot that
// every CPU can do.
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

void KernelLibrary::call(OpBuilder &builder, Location loc, StringRef name,
                         ValueRange operands, Body body, int64_t scratchBytes) {
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

Value stepField(Emitter &e, Value context, Type type, int64_t offset) {
  Value step = e.load(e.ptrType(), context, kContextStep);
  return e.load(type, step, offset);
}

Value rowPointer(Emitter &e, Value context, Value row) {
  Value rows = stepField(e, context, e.ptrType(), abi::kRows);
  return e.at(rows, e.mul(row, e.c64(abi::kRowBytes)));
}

Value scratchPointer(Emitter &e, Value context) {
  return e.load(e.ptrType(), context, kContextScratch);
}

// Column i of a vector of four: the bytes 4·lane + i, widened.
SmallVector<Value> CpuKernels::groupDot(Emitter &e, const GroupDot &dot) const {
  SmallVector<Value> sums;
  for (Value sum : dot.sums)
    sums.push_back(e.splat(e.mul(sum, e.c32(-dot.zeroPoint))));
  Value mask = e.splatI(e.i32(), 0xff);
  for (int64_t j = 0; j < dot.steps; ++j) {
    Value words = e.bitcast(e.vec(e.i32()), dot.codes(j));
    for (int64_t i = 0; i < 4; ++i) {
      Value weights = e.andI(e.shr(words, 8 * i), mask);
      for (auto [m, token] : llvm::enumerate(dot.tokens)) {
        Value x = e.load(e.i8(), token, 4 * j + i);
        Value wide = e.splat(e.signExtend(e.i32(), x));
        sums[m] = e.add(sums[m], e.mul(weights, wide));
      }
    }
  }
  return sums;
}

}  // namespace gemmac::targets
