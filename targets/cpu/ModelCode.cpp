// SPDX-License-Identifier: Apache-2.0
// See ModelCode.h: the mirror of ModelAbi.h's gemma_model_code in LLVM types,
// and the entry points that build the context which step functions pass around.
#include "targets/cpu/ModelCode.h"

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/KvEmission.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {

static_assert(sizeof(gemma_step) == 88 && offsetof(gemma_step, logits) == 64);
static_assert(sizeof(gemma_row) == 32 && offsetof(gemma_row, kv) == 24);
static_assert(sizeof(gemma_kv_layer) == 24);
static_assert(sizeof(gemma_model_code) == 144);
static_assert(offsetof(gemma_step, rows) == abi::kRows &&
              offsetof(gemma_step, count) == abi::kCount &&
              offsetof(gemma_step, wanted) == abi::kWanted &&
              offsetof(gemma_step, wanted_count) == abi::kWantedCount &&
              offsetof(gemma_step, weights) == abi::kWeights &&
              offsetof(gemma_step, arena) == abi::kArena &&
              offsetof(gemma_step, scratch) == abi::kScratch &&
              offsetof(gemma_step, scratch_stride) == abi::kScratchStride);

namespace {

constexpr StringRef kDotPeakEntry = "gemma_dot_peak";

// (step, thread): builds the context on the stack and runs the function.
void emitEntryPoint(ModuleOp module, StringRef name, StringRef function) {
  Location loc = module.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, b.getI32Type()});
  auto wrapper =
      LLVM::LLVMFuncOp::create(b, loc, name, type, LLVM::Linkage::Internal);
  Block *body = wrapper.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  Emitter e(b, loc);
  Value step = body->getArgument(0), thread = body->getArgument(1);
  Value context =
      LLVM::AllocaOp::create(b, loc, pointer, e.i8(), e.c64(kContextBytes), 8);
  Value stride = e.load(e.i64(), step, abi::kScratchStride);
  Value scratch = e.at(e.load(e.ptrType(), step, abi::kScratch),
                       e.mul(stride, e.signExtend(e.i64(), thread)));
  e.store(step, e.at(context, kContextStep));
  e.store(scratch, e.at(context, kContextScratch));
  e.store(thread, e.at(context, kContextThread));
  func::CallOp::create(b, loc, function, TypeRange(), ValueRange{context});
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

// (rounds, sink): calls the kernel, whose symbol no address can be taken of
// yet.
void emitDotPeakEntry(ModuleOp module, func::FuncOp kernel) {
  Location loc = module.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  kernel.getFunctionType().getInputs());
  auto wrapper = LLVM::LLVMFuncOp::create(b, loc, kDotPeakEntry, type,
                                          LLVM::Linkage::Internal);
  Block *body = wrapper.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  func::CallOp::create(b, loc, kernel, body->getArguments());
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

}  // namespace

void emitKvLayers(ModuleOp module, ModelOp model) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  SmallVector<int32_t> words;
  for (kernel::KvLayerAttr layer : model.getKv().getLayers()) {
    words.push_back(layer.getFirstSlot());
    words.push_back(layer.getRingBlocks());
    words.push_back(layer.getWindow());
    words.push_back(0);
    int64_t bytes = layer.getBlockBytes();
    words.push_back(int32_t(bytes));
    words.push_back(int32_t(bytes >> 32));
  }
  auto tensor = RankedTensorType::get({int64_t(words.size())}, b.getI32Type());
  LLVM::GlobalOp::create(
      b, module.getLoc(),
      LLVM::LLVMArrayType::get(b.getI32Type(), words.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, kKvLayersSymbol,
      DenseElementsAttr::get(tensor, ArrayRef<int32_t>(words)),
      /*alignment=*/8);
}

void emitModelCode(ModuleOp module, ModelOp model, int64_t scratchBytes,
                   const DotPeak &peak, const CodeIdentity &identity) {
  Location loc = module.getLoc();
  MLIRContext *context = module.getContext();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(context);
  SmallVector<std::string> entries;
  for (auto [name, function] : entryPoints(model)) {
    entries.push_back(function.empty() ? "" : ("gemma_entry_" + name).str());
    if (!function.empty()) emitEntryPoint(module, entries.back(), function);
  }
  if (peak.kernel) emitDotPeakEntry(module, peak.kernel);
  std::string target = identity.target + std::string(1, '\0');
  LLVM::GlobalOp::create(
      b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), target.size()), true,
      LLVM::Linkage::Internal, "gemma_target_name", b.getStringAttr(target));

  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  SmallVector<Type> fields{i32, i32};
  fields.append(entries.size(), pointer);
  fields.append(8, i32);
  fields.append({pointer, i64, i64, i64, pointer, i64, pointer, i64});
  auto type = LLVM::LLVMStructType::getLiteral(context, fields);
  auto global =
      LLVM::GlobalOp::create(b, loc, type, true, LLVM::Linkage::External,
                             model.getSymName(), Attribute(), 8);
  b.createBlock(&global.getInitializerRegion());
  Value code = LLVM::UndefOp::create(b, loc, type);
  int64_t next = 0;
  auto append = [&](Value value) {
    code = LLVM::InsertValueOp::create(b, loc, code, value, next++);
  };
  auto number = [&](Type numberType, int64_t value) {
    append(LLVM::ConstantOp::create(b, loc, numberType,
                                    b.getIntegerAttr(numberType, value)));
  };
  auto address = [&](StringRef symbol) {
    append(LLVM::AddressOfOp::create(b, loc, pointer, symbol));
  };
  auto optional = [&](StringRef symbol) {
    if (symbol.empty()) return append(LLVM::ZeroOp::create(b, loc, pointer));
    address(symbol);
  };
  number(i32, GEMMA_ABI_VERSION);
  number(i32, sizeof(gemma_model_code));
  for (const std::string &name : entries) optional(name);
  for (int64_t value :
       {int64_t(model.getBatchRows()), int64_t(model.getPrefillRows()),
        int64_t(model.getHeadRows()), int64_t(model.getVocabulary()),
        int64_t(model.getWidth()), model.getKv().getPositions(),
        int64_t(model.getKv().getLayers().size()), model.getKv().getSlots()})
    number(i32, value);
  address(kKvLayersSymbol);
  number(i64, model.getArenaBytes().value_or(0));
  number(i64, (scratchBytes + 63) / 64 * 64);
  number(i64, model.getWeightBytes().value_or(0));
  address("gemma_target_name");
  number(i64, int64_t(identity.cpuFeatures));
  optional(peak.kernel ? kDotPeakEntry : "");
  number(i64, peak.operations);
  LLVM::ReturnOp::create(b, loc, code);
}

}  // namespace gemmac::targets
