// SPDX-License-Identifier: Apache-2.0
// --gemmac-lower-kernel: kernel dialect -> func, scf, arith, vector and
// LLVM-dialect memory ops, for CPU targets. IR before:
//   kernel.phase %step tiles(%n) { ^bb0(%t: index): kernel.add_row … }
// after:
//   scf.while (t = gemma_next_tile(step, thread, n)) < n { call @add_640(…, t)
//   } call @gemma_phase_end(step, thread)
// and the exported gemma_model_<name>. Does not know an instruction set: that
// is the target's, by CpuKernels.
#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "targets/cpu/CpuTarget.h"
#include "targets/cpu/KernelLibrary.h"
#include "targets/cpu/KernelPatterns.h"
#include "targets/cpu/ModelCode.h"
#include "targets/cpu/Passes.h"

namespace gemmac::targets {
#define GEN_PASS_DEF_LOWERKERNEL
#include "targets/cpu/Passes.h.inc"
}  // namespace gemmac::targets

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

// Buffers, weights and the step become pointers; shapes live in the ops.
class PointerConverter : public TypeConverter {
 public:
  explicit PointerConverter(MLIRContext *context) {
    Type pointer = LLVM::LLVMPointerType::get(context);
    addConversion([](Type type) { return type; });
    addConversion([=](MemRefType) { return pointer; });
    addConversion([=](StepType) { return pointer; });
    addConversion([=](quantized::TensorType) { return pointer; });
  }
};

// Weights and scratch are found by the step of the function that asks.
LogicalResult checkStep(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  if (function && function.getNumArguments() > 0 &&
      isa<StepType>(function.getArgument(0).getType()))
    return success();
  InFlightDiagnostic error = op->emitError(
      "expected a function whose first argument is a !kernel.step, found ");
  if (!function) return error << "none";
  return error << function.getFunctionType();
}

LogicalResult checkPlaced(quantized::ReferenceOp op, ModuleOp module) {
  SmallVector<FlatSymbolRefAttr> weights{op.getSymbolAttr()};
  if (op.getIndex()) {
    auto table = module.lookupSymbol<quantized::WeightTableOp>(op.getSymbol());
    weights =
        llvm::to_vector(table.getWeights().getAsRange<FlatSymbolRefAttr>());
  }
  for (FlatSymbolRefAttr weight : weights)
    if (!module.lookupSymbol<quantized::WeightOp>(weight.getAttr())
             .getPackedOffset())
      return op.emitError(
                 "expected a weight that PlanWeights has placed, found ")
             << weight << " without packed_offset";
  return success();
}

// A declaration would become a symbol that no link finds.
LogicalResult checkEntries(ModuleOp module, ModelOp model) {
  for (auto [name, entry] : entryPoints(model)) {
    auto function = module.lookupSymbol<func::FuncOp>(entry);
    if (function && function.isDeclaration())
      return model.emitError("expected '")
             << name << "' to have a body, found the declaration of @" << entry;
  }
  return success();
}

LogicalResult checkCallee(CallLayerOp call) {
  if (lookupLayer(call)) return success();
  return call.emitError("expected a layer with a body");
}

// What the patterns rely on and no verifier says.
LogicalResult checkInput(ModuleOp module) {
  auto result = module.walk([&](Operation *op) -> WalkResult {
    if (auto reference = dyn_cast<quantized::ReferenceOp>(op))
      return failure(failed(checkStep(op)) ||
                     failed(checkPlaced(reference, module)));
    if (auto call = dyn_cast<CallLayerOp>(op)) return checkCallee(call);
    return isa<MatmulTileOp>(op) ? checkStep(op) : success();
  });
  return failure(result.wasInterrupted());
}

class LowerKernel : public impl::LowerKernelBase<LowerKernel> {
 public:
  using LowerKernelBase::LowerKernelBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const CpuTarget *cpu = findTarget(module);
    if (!cpu) return signalPassFailure();
    ModelOp model = findModel(module);
    if (!model || failed(checkInput(module)) ||
        failed(checkEntries(module, model)))
      return signalPassFailure();
    emitKvLayers(module, model);
    declareRuntime(module);
    KernelLibrary library(module, *cpu);
    DotPeak peak;
    if (hasCodes(module)) peak = emitDotPeak(module, library);
    if (failed(convert(module, library))) return signalPassFailure();
    emitModelCode(module, model, library.scratchBytes(), peak, cpu->identity());
    model.erase();
    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (isa<quantized::WeightOp, quantized::WeightTableOp>(op)) op.erase();
    hideFunctions(module);
  }

 private:
  // Null, and an error of the module, when there is none.
  const CpuTarget *findTarget(ModuleOp module) {
    std::string message;
    const Target *found = lookupTarget(target.getValue(), message);
    if (!found) {
      module.emitError(message);
      return nullptr;
    }
    if (!found->asCpu())
      module.emitError("expected a CPU target, found '")
          << target.getValue() << "'";
    return found->asCpu();
  }

  // The exported constant is all that can be seen from outside.
  static void hideFunctions(ModuleOp module) {
    auto internal =
        LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal);
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isDeclaration()) {
        function->setAttr("llvm.linkage", internal);
        for (StringRef name : {"kernel.max_rows", "gemma.layer_kind"})
          function->removeAttr(name);
      }
  }

  static bool hasCodes(ModuleOp module) {
    return module
        .walk([](MatmulTileOp tile) {
          StringRef format = tile.getWeight().getType().getFormat();
          return quantized::lookupFormat(format)->isFloat()
                     ? WalkResult::advance()
                     : WalkResult::interrupt();
        })
        .wasInterrupted();
  }

  DotPeak emitDotPeak(ModuleOp module, KernelLibrary &library) {
    DotPeak peak;
    peak.operations = library.cpu.dotPeakOperations();
    if (!peak.operations) return peak;
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = IntegerType::get(&getContext(), 64);
    peak.kernel = library.get(
        kernelKey(&getContext(), "dot_peak"), "dot_peak", {i64, pointer},
        module.getLoc(), [&](Emitter &e, ValueRange arguments) {
          library.cpu.dotPeak(e, library, arguments[0], arguments[1]);
        });
    return peak;
  }

  void declareRuntime(ModuleOp module) {
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i32 = b.getI32Type(), i64 = b.getI64Type();
    auto declare = [&](StringRef name, TypeRange in, TypeRange out) {
      func::FuncOp::create(b, module.getLoc(), name, b.getFunctionType(in, out))
          .setPrivate();
    };
    declare("gemma_next_tile", {pointer, i32, i64}, {i64});
    declare("gemma_phase_end", {pointer, i32}, {});
  }

  LogicalResult convert(ModuleOp module, KernelLibrary &library) {
    MLIRContext *context = &getContext();
    PointerConverter converter(context);
    RewritePatternSet patterns(context);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateKernelPatterns(converter, patterns, library);
    ConversionTarget legal(*context);
    legal.addLegalDialect<arith::ArithDialect, scf::SCFDialect,
                          vector::VectorDialect, LLVM::LLVMDialect>();
    legal.addLegalOp<ModuleOp, ModelOp, quantized::WeightOp,
                     quantized::WeightTableOp>();
    legal.addIllegalDialect<KernelDialect>();
    legal.addLegalOp<ModelOp>();
    legal.addIllegalOp<quantized::ReferenceOp>();
    legal.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    legal.addDynamicallyLegalOp<func::CallOp>(
        [&](func::CallOp op) { return converter.isLegal(op); });
    legal.addLegalOp<func::ReturnOp>();
    return applyPartialConversion(module, legal, std::move(patterns));
  }
};

}  // namespace

}  // namespace gemmac::targets
