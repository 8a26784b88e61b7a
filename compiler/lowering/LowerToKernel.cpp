// SPDX-License-Identifier: Apache-2.0
// --gemmac-lower-to-kernel: @forward and layer functions on tensors -> step
// functions on buffers, one set an entry point. Does not merge phases or place
// buffers: PlanPhases and PlanBuffers do.
#include "compiler/lowering/FunctionLowering.h"
#include "compiler/lowering/Passes.h"
#include "llvm/ADT/StringExtras.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_LOWERTOKERNEL
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;
using gemmac::lowering::bufferType;
using gemmac::lowering::Entry;
using gemmac::lowering::FunctionLowering;
using gemmac::lowering::isIds;
using gemmac::lowering::TileShape;

LogicalResult FunctionLowering::lower(Operation *op) {
  for (Value operand : op->getOperands())
    if (!isIds(operand.getType()) && !lookup(operand))
      return op->emitError(
                 "expected operands that this function's ops make, "
                 "found ")
             << operand;
  if (isa<arith::ConstantOp>(op)) {
    map(op->getResult(0), b.clone(*op)->getResult(0));
    return success();
  }
  if (auto reference = dyn_cast<quantized::ReferenceOp>(op)) {
    Value index = reference.getIndex() ? lookup(reference.getIndex()) : Value();
    map(reference,
        quantized::ReferenceOp::create(b, op->getLoc(), reference.getType(),
                                       reference.getSymbolAttr(), index));
    return success();
  }
  if (auto call = dyn_cast<kernel::CallLayerOp>(op)) {
    lowerCall(call);
    return success();
  }
  if (auto attention = dyn_cast<gemma::AttentionOp>(op)) {
    if (!cache)
      return op->emitError("expected attention inside an outlined layer");
    lowerAttention(attention);
    return success();
  }
  if (lowerRows(op) || lowerMatmul(op)) return success();
  return op->emitError("cannot lower ")
         << op->getName() << " to the kernel dialect";
}

// @layer_0(%x, %positions, …) -> result becomes
// @layer_0_<entry>(%step, %x, …, %out).
void FunctionLowering::lowerCall(kernel::CallLayerOp op) {
  SmallVector<Value> inputs{step};
  for (Value input : op.getInputs())
    if (!isIds(input.getType())) inputs.push_back(lookup(input));
  for (Value value : op.getResults()) inputs.push_back(result(value));
  kernel::CallLayerOp::create(b, op.getLoc(), TypeRange(),
                              (op.getCallee() + "_" + entry.name).str(), inputs,
                              lookup(op.getLayer()), lookup(op.getIndex()),
                              lookup(op.getCache()));
}

namespace {

class LowerToKernel : public lowering::impl::LowerToKernelBase<LowerToKernel> {
 public:
  using LowerToKernelBase::LowerToKernelBase;
  void runOnOperation() override;

 private:
  func::FuncOp start(StringRef name, TypeRange inputs, const Entry &entry);
  LogicalResult lowerStep(func::FuncOp forward, gemma::WantedRowsOp wanted,
                          const Entry &entry);
  // Result `number` of @forward: 0 the logits, 1 what FuseHeadSampling adds.
  LogicalResult lowerHead(func::FuncOp forward, gemma::WantedRowsOp wanted,
                          unsigned number, const Entry &entry);
  LogicalResult lowerLayer(func::FuncOp function, const Entry &entry);
  void emitModel(bool argMax);
  LogicalResult checkOptions();
  kernel::KvPlanAttr kvPlan() {
    return getOperation()->getAttrOfType<kernel::KvPlanAttr>(
        kernel::KvPlanAttr::kModuleAttribute);
  }
  gemma::SizesAttr sizes() {
    return getOperation()->getAttrOfType<gemma::SizesAttr>(
        gemma::SizesAttr::kModuleAttribute);
  }
};

}  // namespace

LogicalResult LowerToKernel::checkOptions() {
  for (auto *option : {&prefillRows, &batchRows, &headRows, &prefillChunkRows,
                       &leastTiles, &mostRowBlocks})
    if (!quantized::isSize(*option))
      return getOperation().emitError("expected ")
             << option->getArgStr() << " of at least 1 and below 2^31, found "
             << int64_t(*option);
  StringRef name = kernelName.getValue();
  if (name.empty() ||
      !llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }))
    return getOperation().emitError(
               "expected a kernel-name of letters, digits and _, found '")
           << name << "'";
  return success();
}

func::FuncOp LowerToKernel::start(StringRef name, TypeRange inputs,
                                  const Entry &entry) {
  OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
  auto function = func::FuncOp::create(b, getOperation().getLoc(), name,
                                       b.getFunctionType(inputs, {}));
  function.setPrivate();
  function->setAttr(kernel::kMaxRows, b.getI64IntegerAttr(entry.maxRows));
  function.addEntryBlock();
  return function;
}

LogicalResult LowerToKernel::lowerStep(func::FuncOp forward,
                                       gemma::WantedRowsOp wanted,
                                       const Entry &entry) {
  Type stepType = kernel::StepType::get(&getContext());
  func::FuncOp function = start(entry.name, stepType, entry);
  OpBuilder b = OpBuilder::atBlockEnd(&function.getBody().front());
  Value step = function.getArgument(0);
  Value rows =
      kernel::RowCountOp::create(b, forward.getLoc(), b.getIndexType(), step);
  FunctionLowering lowering(b, entry, step, rows);
  Value hidden = kernel::HiddenOp::create(
      b, wanted.getLoc(), bufferType(wanted.getInput().getType()), step);
  lowering.map(wanted.getInput(), hidden);
  for (Operation &op : forward.getBody().front()) {
    if (&op == wanted.getOperation()) break;
    // What only the head uses belongs to the head.
    if (isa<quantized::ReferenceOp>(op) &&
        llvm::none_of(op.getUsers(), [&](Operation *user) {
          return user->isBeforeInBlock(wanted);
        }))
      continue;
    if (failed(lowering.lower(&op))) return failure();
  }
  func::ReturnOp::create(b, forward.getLoc());
  return success();
}

LogicalResult LowerToKernel::lowerHead(func::FuncOp forward,
                                       gemma::WantedRowsOp wanted,
                                       unsigned number, const Entry &entry) {
  func::FuncOp function =
      start(entry.name, kernel::StepType::get(&getContext()), entry);
  OpBuilder b = OpBuilder::atBlockEnd(&function.getBody().front());
  Location loc = wanted.getLoc();
  Value step = function.getArgument(0);
  Value rows = kernel::WantedCountOp::create(b, loc, b.getIndexType(), step);
  FunctionLowering lowering(b, entry, step, rows);
  Value hidden = kernel::HiddenOp::create(
      b, loc, bufferType(wanted.getInput().getType()), step);
  Value gathered = lowering.result(wanted.getResult());
  lowering.phase(loc, rows, [&](OpBuilder &b, Value i) {
    Value row = kernel::WantedRowOp::create(b, loc, b.getIndexType(), step, i);
    kernel::CopyRowOp::create(b, loc, hidden, row, gathered, i);
  });
  // The result goes to the caller's buffer; a softcap of its own works in
  // place.
  auto end = cast<func::ReturnOp>(forward.getBody().front().getTerminator());
  Value result = end.getOperand(number);
  Value logits = kernel::LogitsOp::create(b, end.getLoc(),
                                          bufferType(result.getType()), step);
  lowering.map(result, logits);
  auto cap = result.getDefiningOp<gemma::SoftcapOp>();
  if (cap && cap.getInput() != wanted.getResult())
    lowering.map(cap.getInput(), logits);
  bool after = false;
  for (Operation &op : forward.getBody().front().without_terminator()) {
    if (&op == wanted.getOperation())
      after = true;
    else if (after || (isa<quantized::ReferenceOp>(op) &&
                       llvm::any_of(op.getUsers(), [&](Operation *user) {
                         return wanted->isBeforeInBlock(user);
                       })))
      if (failed(lowering.lower(&op))) return failure();
  }
  func::ReturnOp::create(b, end.getLoc());
  return success();
}

LogicalResult LowerToKernel::lowerLayer(func::FuncOp function,
                                        const Entry &entry) {
  Builder types(&getContext());
  SmallVector<Type> inputs{kernel::StepType::get(&getContext())};
  for (Type type : function.getArgumentTypes().drop_back(2))
    if (!isIds(type)) inputs.push_back(bufferType(type));
  inputs.push_back(bufferType(function.getResultTypes().front()));
  inputs.append({types.getIndexType(), types.getIndexType()});
  func::FuncOp lowered =
      start((function.getName() + "_" + entry.name).str(), inputs, entry);
  OpBuilder b = OpBuilder::atBlockEnd(&lowered.getBody().front());
  Value step = lowered.getArgument(0);
  Value rows =
      kernel::RowCountOp::create(b, function.getLoc(), b.getIndexType(), step);
  FunctionLowering lowering(b, entry, step, rows);
  size_t next = 1;
  for (Value argument : function.getArguments().drop_back(2))
    if (!isIds(argument.getType()))
      lowering.map(argument, lowered.getArgument(next++));
  auto end = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  lowering.map(end.getOperand(0), lowered.getArgument(next++));
  lowering.map(function.getArguments().take_back(2)[0],
               lowered.getArgument(next++));
  lowering.cache = lowered.getArgument(next);
  lowering.kv = kvPlan();
  for (Operation &op : function.getBody().front().without_terminator())
    if (failed(lowering.lower(&op))) return failure();
  func::ReturnOp::create(b, end.getLoc());
  return success();
}

void LowerToKernel::emitModel(bool argMax) {
  ModuleOp module = getOperation();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  kernel::ModelOp::create(
      b, module.getLoc(), "gemma_model_" + kernelName, "decode", "batch",
      "prefill", "head", batchRows, prefillRows, headRows,
      sizes().getVocabulary(), sizes().getWidth(), kvPlan(), IntegerAttr(),
      IntegerAttr(),
      argMax ? FlatSymbolRefAttr::get(&getContext(), "arg_max") : nullptr);
  module->removeAttr(kernel::KvPlanAttr::kModuleAttribute);
}

void LowerToKernel::runOnOperation() {
  ModuleOp module = getOperation();
  auto forward = module.lookupSymbol<func::FuncOp>("forward");
  gemma::WantedRowsOp wanted;
  if (forward) forward.walk([&](gemma::WantedRowsOp op) { wanted = op; });
  if (!wanted || wanted->getParentOp() != forward || !kvPlan() || !sizes()) {
    module.emitError(
        "expected @forward with gemma.wanted_rows, gemma.model and a planned "
        "kv cache");
    return signalPassFailure();
  }
  SmallVector<func::FuncOp> layers;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(gemma::kLayerKind)) layers.push_back(function);
  if (failed(checkOptions()) ||
      failed(lowering::checkForward(forward, wanted, sizes(), kvPlan())) ||
      llvm::any_of(layers, [](func::FuncOp layer) {
        return failed(lowering::checkLayer(layer));
      }))
    return signalPassFailure();
  const TileShape shape{leastTiles, mostRowBlocks};
  int64_t chunk = std::min<int64_t>(prefillRows, prefillChunkRows);
  const Entry entries[] = {{"decode", 1, 1, true, shape},
                           {"batch", batchRows, batchRows, true, shape},
                           {"prefill", prefillRows, chunk, false, shape}};
  for (const Entry &entry : entries) {
    if (failed(lowerStep(forward, wanted, entry))) return signalPassFailure();
    for (func::FuncOp layer : layers)
      if (failed(lowerLayer(layer, entry))) return signalPassFailure();
  }
  bool argMax = forward.getNumResults() > 1;
  if (failed(lowerHead(forward, wanted, 0,
                       {"head", headRows, headRows, false, shape})) ||
      (argMax &&
       failed(lowerHead(forward, wanted, 1,
                        {"arg_max", headRows, headRows, false, shape}))))
    return signalPassFailure();
  emitModel(argMax);
  forward.erase();
  for (func::FuncOp layer : layers) layer.erase();
}
