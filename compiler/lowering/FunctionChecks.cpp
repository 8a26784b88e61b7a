// SPDX-License-Identifier: Apache-2.0
// Checks of LowerToKernel: @forward and the functions of layers as the lowering
// takes them for granted, so that IR which no stage of ours made ends in a
// diagnostic. Reads, and changes nothing.
#include "compiler/lowering/FunctionLowering.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace gemmac::lowering {

bool isIds(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isInteger(32);
}

// Rows of f32, which become a buffer of as many columns.
static bool isRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0) &&
         quantized::isSize(tensor.getDimSize(1)) &&
         tensor.getElementType().isF32();
}

static int64_t columns(Type rows) {
  return cast<RankedTensorType>(rows).getDimSize(1);
}

// One block that ends in func.return of a value at least.
static LogicalResult checkBody(func::FuncOp function) {
  if (function.isDeclaration() || !function.getBody().hasOneBlock())
    return function.emitError("expected one block in @")
           << function.getName() << ", found "
           << function.getBody().getBlocks().size();
  if (!isa<func::ReturnOp>(function.getBody().front().getTerminator()) ||
      function.getNumResults() == 0)
    return function.emitError("expected @")
           << function.getName() << " to return a value";
  return success();
}

// Lowered ops read ids from the step, whatever their operand was: it must be
// what the step has in its place. `tokens` is null in a layer, which gets
// positions only.
static LogicalResult checkIds(func::FuncOp function, Value tokens) {
  for (Operation &op : function.getBody().front())
    for (Value operand : op.getOperands()) {
      if (!isIds(operand.getType())) continue;
      bool embeds = isa<gemma::EmbedOp>(op);
      if (!isa<BlockArgument>(operand) || (operand == tokens) != embeds)
        return op.emitError("expected the call's ")
               << (embeds ? "tokens" : "positions") << ", found " << operand;
    }
  return success();
}

static LogicalResult checkResults(func::ReturnOp end,
                                  gemma::WantedRowsOp wanted,
                                  gemma::SizesAttr sizes) {
  // Logits, and the pairs that FuseHeadSampling adds.
  const int64_t expected[] = {sizes.getVocabulary(), 2};
  if (end.getNumOperands() > std::size(expected))
    return end.emitError(
               "expected @forward to return logits and pairs at most, found ")
           << end.getNumOperands() << " values";
  for (auto [value, width] : llvm::zip(end.getOperands(), expected)) {
    Type type = value.getType();
    if (!isRows(type) || columns(type) != width)
      return end.emitError("expected @forward to return rows of ")
             << width << " columns, found " << type;
    Operation *maker = value.getDefiningOp();
    if (!maker || !wanted->isBeforeInBlock(maker))
      return end.emitError(
                 "expected @forward to return what ops behind "
                 "gemma.wanted_rows make, found ")
             << value;
  }
  return success();
}

static LogicalResult checkCall(kernel::CallLayerOp call,
                               gemma::WantedRowsOp wanted,
                               kernel::KvPlanAttr plan) {
  if (wanted->isBeforeInBlock(call))
    return call.emitError("expected layers in front of gemma.wanted_rows");
  APInt cache;
  if (!matchPattern(call.getCache(), m_ConstantInt(&cache)) ||
      cache.uge(plan.getLayers().size()))
    return call.emitError("expected a cache below ")
           << plan.getLayers().size() << ", as many as the plan has, found "
           << call.getCache();
  return success();
}

LogicalResult checkForward(func::FuncOp forward, gemma::WantedRowsOp wanted,
                           gemma::SizesAttr sizes, kernel::KvPlanAttr plan) {
  if (failed(checkBody(forward))) return failure();
  if (forward.getNumArguments() != 2 ||
      !llvm::all_of(forward.getArgumentTypes(), isIds))
    return forward.emitError(
               "expected @forward to take tokens and positions, found ")
           << forward.getFunctionType();
  Type hidden = wanted.getInput().getType();
  if (columns(hidden) != sizes.getWidth())
    return wanted.emitError("expected hidden rows of ")
           << sizes.getWidth() << " columns, found " << hidden;
  Block &body = forward.getBody().front();
  for (auto call : body.getOps<kernel::CallLayerOp>())
    if (failed(checkCall(call, wanted, plan))) return failure();
  auto end = cast<func::ReturnOp>(body.getTerminator());
  if (failed(checkResults(end, wanted, sizes))) return failure();
  return checkIds(forward, forward.getArgument(0));
}

LogicalResult checkLayer(func::FuncOp function) {
  if (failed(checkBody(function))) return failure();
  auto types = function.getArgumentTypes();
  if (types.size() < 2 ||
      !llvm::all_of(types.take_back(2),
                    [](Type type) { return type.isIndex(); }) ||
      function.getNumResults() != 1)
    return function.emitError("expected @")
           << function.getName()
           << " to take an index and a cache last and to return one value";
  for (Type type : types.drop_back(2))
    if (!isIds(type) && !isRows(type))
      return function.emitError("expected @")
             << function.getName() << " to take rows of f32 and ids, found "
             << type;
  auto end = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  Value result = end.getOperand(0);
  if (!isRows(result.getType()))
    return function.emitError("expected @")
           << function.getName() << " to return rows of f32, found "
           << result.getType();
  if (isa<BlockArgument>(result))
    return end.emitError("expected @")
           << function.getName() << " to return what its ops make, found "
           << result;
  return checkIds(function, /*tokens=*/Value());
}

}  // namespace gemmac::lowering
