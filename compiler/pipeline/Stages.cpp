// SPDX-License-Identifier: Apache-2.0
// See Stages.h.
#include "compiler/pipeline/Stages.h"

#include "compiler/fusion/Fusion.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/Seams.h"
#include "compiler/quantization/Passes.h"
#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"

using namespace mlir;
using gemmac::targets::Target;

namespace gemmac::pipeline {

KvFormat kvFormat(const BuildOptions &options) {
  if (options.kv) return *options.kv;
  return options.quant == Quant::F32 ? KvFormat::F32 : KvFormat::Bf16;
}

void loadDialects(MLIRContext &context) {
  context.loadDialect<
      gemma::GemmaDialect, quantized::QuantizedDialect, kernel::KernelDialect,
      arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
      memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect>();
}

void addFusion(OpPassManager &manager, const BuildOptions &options) {
  fusion::buildFusionPipeline(manager, options.disabledPasses);
}

void addQuantization(OpPassManager &manager, const BuildOptions &options) {
  quantization::ChooseFormatsOptions formats;
  formats.quant = name(options.quant);
  manager.addPass(quantization::createChooseFormats(formats));
  manager.addPass(quantization::createQuantizeActivations());
}

void addLowering(OpPassManager &manager, const BuildOptions &options) {
  lowering::Options plan;
  plan.prefillRows = options.prefillRows;
  plan.contextSize = options.contextSize;
  plan.kvFormat = name(kvFormat(options));
  lowering::buildLoweringPipeline(manager, plan);
}

FailureOr<SmallVector<char, 0>> emit(ModuleOp module, const Target &target,
                                     const BuildOptions &options) {
  auto as = [&](Target::Output output) {
    return target.emit(module, output,
                       {options.cpu, options.mattr, options.debugInfo});
  };
  switch (options.emit) {
    case Emit::Executable:
    case Emit::Object:
      return as(Target::Output::Object);
    case Emit::Assembly:
      return as(Target::Output::Assembly);
    case Emit::LlvmIr:
      return as(Target::Output::LlvmIr);
    case Emit::Mlir:
      break;
  }
  std::string text = printModule(module);
  return SmallVector<char, 0>(text.begin(), text.end());
}

std::vector<std::string> optionalPasses() {
  OpPassManager manager(ModuleOp::getOperationName());
  addFusion(manager, {});
  return passNames(manager);
}

std::vector<std::string> allPasses() {
  OpPassManager manager(ModuleOp::getOperationName());
  addFusion(manager, {});
  addQuantization(manager, {});
  addLowering(manager, {});
  return passNames(manager);
}

}  // namespace gemmac::pipeline
