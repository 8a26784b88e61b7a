// SPDX-License-Identifier: Apache-2.0
// LowerKernel: see LowerKernel.h.
#include "targets/cpu/LowerKernel.h"

#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "targets/cpu/KernelLibrary.h"
#include "targets/cpu/KernelPatterns.h"

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

class LowerKernel : public PassWrapper<LowerKernel, OperationPass<ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerKernel)
  LowerKernel(const CpuKernels &cpu, CodeIdentity identity)
      : cpu(cpu), identity(std::move(identity)) {}
  StringRef getArgument() const final { return "gemmac-lower-kernel"; }
  StringRef getDescription() const final {
    return "kernel dialect to loops, vectors and the exported model";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, func::FuncDialect, scf::SCFDialect,
                    vector::VectorDialect, LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    ModelOp model = findModel(module);
    if (!model) return signalPassFailure();
    emitKvLayers(module, model);
    declareRuntime(module);
    KernelLibrary library(module, cpu);
    DotPeak peak;
    if (hasCodes(module)) peak = emitDotPeak(module, library);
    if (failed(convert(module, library))) return signalPassFailure();
    emitModelCode(module, model, library.scratchBytes(), peak, identity);
    model.erase();
    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (isa<quantized::WeightOp, quantized::WeightTableOp>(op)) op.erase();
    auto internal =
        LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal);
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isDeclaration()) {
        function->setAttr("llvm.linkage", internal);
        for (StringRef name : {"kernel.max_rows", "gemma.layer_kind"})
          function->removeAttr(name);
      }
  }

 private:
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
    peak.operations = cpu.dotPeakOperations();
    if (!peak.operations) return peak;
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = IntegerType::get(&getContext(), 64);
    peak.kernel = library.get(
        kernelKey(&getContext(), "dot_peak"), "dot_peak", {i64, pointer},
        module.getLoc(), [&](Emitter &e, ValueRange arguments) {
          cpu.dotPeak(e, library, arguments[0], arguments[1]);
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
    ConversionTarget target(*context);
    target.addLegalDialect<arith::ArithDialect, scf::SCFDialect,
                           vector::VectorDialect, LLVM::LLVMDialect>();
    target.addLegalOp<ModuleOp, ModelOp, quantized::WeightOp,
                      quantized::WeightTableOp>();
    target.addIllegalDialect<KernelDialect>();
    target.addLegalOp<ModelOp>();
    target.addIllegalOp<quantized::ReferenceOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.addDynamicallyLegalOp<func::CallOp>(
        [&](func::CallOp op) { return converter.isLegal(op); });
    target.addLegalOp<func::ReturnOp>();
    return applyPartialConversion(module, target, std::move(patterns));
  }

  const CpuKernels &cpu;
  CodeIdentity identity;
};

}  // namespace

std::unique_ptr<Pass> createLowerKernelPass(const CpuKernels &cpu,
                                            CodeIdentity identity) {
  return std::make_unique<LowerKernel>(cpu, std::move(identity));
}

}  // namespace gemmac::targets
