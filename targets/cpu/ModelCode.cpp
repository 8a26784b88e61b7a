// SPDX-License-Identifier: Apache-2.0
// See ModelCode.h: the mirror of ModelAbi.h's gemma_model_code in LLVM types,
// and the entry points that build the context which step functions pass around.
#include "targets/cpu/ModelCode.h"

#include <cstring>
#include <type_traits>

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/cpu/KvEmission.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {

namespace {

// gemma_model_code's fields in order.
struct Field {
  size_t offset, bytes;
  bool isPointer;
};
#define GEMMA_AT(field) offsetof(gemma_model_code, field)
#define GEMMA_FIELD(field)                                   \
  Field {                                                    \
    GEMMA_AT(field), sizeof(gemma_model_code::field),        \
        std::is_pointer_v<decltype(gemma_model_code::field)> \
  }
constexpr Field kFields[] = {
    GEMMA_FIELD(abi_version),
    GEMMA_FIELD(struct_bytes),
    GEMMA_FIELD(decode),
    GEMMA_FIELD(batch),
    GEMMA_FIELD(prefill),
    GEMMA_FIELD(head),
    GEMMA_FIELD(arg_max),
    GEMMA_FIELD(batch_rows),
    GEMMA_FIELD(prefill_rows),
    GEMMA_FIELD(head_rows),
    GEMMA_FIELD(vocabulary),
    GEMMA_FIELD(width),
    GEMMA_FIELD(context),
    GEMMA_FIELD(kv_layer_count),
    GEMMA_FIELD(kv_slots),
    GEMMA_FIELD(kv_layers),
    GEMMA_FIELD(arena_bytes),
    GEMMA_FIELD(scratch_bytes),
    GEMMA_FIELD(weight_bytes),
    GEMMA_FIELD(target),
    GEMMA_FIELD(cpu_features),
    GEMMA_FIELD(dot_peak),
    GEMMA_FIELD(dot_peak_operations),
};
// kernel::entryPoints in its order.
constexpr size_t kEntryFields[] = {GEMMA_AT(decode), GEMMA_AT(batch),
                                   GEMMA_AT(prefill), GEMMA_AT(head),
                                   GEMMA_AT(arg_max)};

// Whether the fields fill the struct without a gap, each at a multiple of its
// size: then an LLVM struct of them has the same offsets.
constexpr bool fillStruct() {
  size_t end = 0;
  for (const Field &field : kFields) {
    if (field.offset != end || end % field.bytes) return false;
    end += field.bytes;
  }
  return end == sizeof(gemma_model_code);
}
static_assert(fillStruct(),
              "a field of gemma_model_code is missing in kFields "
              "or out of order");
static_assert(sizeof(gemma_kv_layer) % 4 == 0, "emitted as words of 32 bits");

constexpr StringRef kDotPeakEntry = "gemma_dot_peak";
constexpr StringRef kTargetNameSymbol = "gemma_target_name";

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
  Value context = LLVM::AllocaOp::create(b, loc, pointer, e.i8(),
                                         e.c64(abi::kContextBytes), 8);
  Value stride = e.load(e.i64(), step, abi::kScratchStride);
  Value scratch = e.at(e.load(e.ptrType(), step, abi::kScratch),
                       e.mul(stride, e.signExtend(e.i64(), thread)));
  e.store(step, e.at(context, abi::kContextStep));
  e.store(scratch, e.at(context, abi::kContextScratch));
  e.store(thread, e.at(context, abi::kContextThread));
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

// The constant under construction: a value for each field, by its offset.
class CodeConstant {
 public:
  // Begins the initializer of a global of that name.
  CodeConstant(OpBuilder &builder, Location loc, StringRef symbol)
      : b(builder), loc(loc) {
    SmallVector<Type> types;
    for (const Field &field : kFields)
      types.push_back(field.isPointer ? pointer() : integer(field));
    Type type = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
    auto global = LLVM::GlobalOp::create(
        b, loc, type, /*isConstant=*/true, LLVM::Linkage::External, symbol,
        Attribute(), alignof(gemma_model_code));
    b.createBlock(&global.getInitializerRegion());
    code = LLVM::UndefOp::create(b, loc, type);
  }
  void number(size_t offset, int64_t value) {
    Type type = integer(kFields[index(offset)]);
    set(offset,
        LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value)));
  }
  // Of a symbol; null where there is none.
  void address(size_t offset, StringRef symbol) {
    if (symbol.empty())
      return set(offset, LLVM::ZeroOp::create(b, loc, pointer()));
    set(offset, LLVM::AddressOfOp::create(b, loc, pointer(), symbol));
  }
  void end() { LLVM::ReturnOp::create(b, loc, code); }

 private:
  static int64_t index(size_t offset) {
    return llvm::find_if(
               kFields,
               [&](const Field &field) { return field.offset == offset; }) -
           kFields;
  }
  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  Type integer(const Field &field) {
    return b.getIntegerType(unsigned(field.bytes * 8));
  }
  void set(size_t offset, Value value) {
    code = LLVM::InsertValueOp::create(b, loc, code, value, index(offset));
  }

  OpBuilder &b;
  Location loc;
  Value code;
};

// The sizes that kernel.model has.
void setSizes(CodeConstant &code, ModelOp model) {
  code.number(GEMMA_AT(batch_rows), model.getBatchRows());
  code.number(GEMMA_AT(prefill_rows), model.getPrefillRows());
  code.number(GEMMA_AT(head_rows), model.getHeadRows());
  code.number(GEMMA_AT(vocabulary), model.getVocabulary());
  code.number(GEMMA_AT(width), model.getWidth());
  code.number(GEMMA_AT(context), model.getKv().getPositions());
  code.number(GEMMA_AT(kv_layer_count), model.getKv().getLayers().size());
  code.number(GEMMA_AT(kv_slots), model.getKv().getSlots());
  code.number(GEMMA_AT(arena_bytes), model.getArenaBytes().value_or(0));
  code.number(GEMMA_AT(weight_bytes), model.getWeightBytes().value_or(0));
}

}  // namespace

void emitKvLayers(ModuleOp module, ModelOp model) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  SmallVector<gemma_kv_layer> layers;
  for (KvLayerAttr layer : model.getKv().getLayers())
    layers.push_back(
        {int32_t(layer.getFirstSlot()), int32_t(layer.getRingBlocks()),
         int32_t(layer.getWindow()), /*reserved=*/0, layer.getBlockBytes()});
  // As words of 32 bits, little-endian like the machines that run it.
  SmallVector<int32_t> words(layers.size() * sizeof(gemma_kv_layer) / 4);
  if (!layers.empty())
    std::memcpy(words.data(), layers.data(), words.size() * 4);
  auto tensor = RankedTensorType::get({int64_t(words.size())}, b.getI32Type());
  LLVM::GlobalOp::create(
      b, module.getLoc(),
      LLVM::LLVMArrayType::get(b.getI32Type(), words.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, kKvLayersSymbol,
      DenseElementsAttr::get(tensor, ArrayRef<int32_t>(words)),
      alignof(gemma_kv_layer));
}

void emitModelCode(ModuleOp module, ModelOp model, int64_t scratchBytes,
                   const DotPeak &peak, const CodeIdentity &identity) {
  Location loc = module.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<std::string> entries;
  for (auto [name, function] : entryPoints(model)) {
    entries.push_back(function.empty() ? "" : ("gemma_entry_" + name).str());
    if (!function.empty()) emitEntryPoint(module, entries.back(), function);
  }
  if (peak.kernel) emitDotPeakEntry(module, peak.kernel);
  std::string target = identity.target + std::string(1, '\0');
  LLVM::GlobalOp::create(
      b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), target.size()), true,
      LLVM::Linkage::Internal, kTargetNameSymbol, b.getStringAttr(target));

  CodeConstant code(b, loc, model.getSymName());
  code.number(GEMMA_AT(abi_version), GEMMA_ABI_VERSION);
  code.number(GEMMA_AT(struct_bytes), sizeof(gemma_model_code));
  for (auto [offset, name] : llvm::zip_equal(kEntryFields, entries))
    code.address(offset, name);
  setSizes(code, model);
  code.address(GEMMA_AT(kv_layers), kKvLayersSymbol);
  code.number(GEMMA_AT(scratch_bytes), (scratchBytes + 63) / 64 * 64);
  code.address(GEMMA_AT(target), kTargetNameSymbol);
  code.number(GEMMA_AT(cpu_features), int64_t(identity.cpuFeatures));
  code.address(GEMMA_AT(dot_peak), peak.kernel ? kDotPeakEntry : "");
  code.number(GEMMA_AT(dot_peak_operations), peak.operations);
  code.end();
}

}  // namespace gemmac::targets
