// SPDX-License-Identifier: Apache-2.0
// See Stages.h.
#include "compiler/pipeline/Stages.h"

#include "compiler/fusion/Fusion.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/pipeline/Seams.h"
#include "compiler/quantization/Passes.h"
#include "targets/Target.h"

using namespace mlir;

namespace gemmac::pipeline {

std::string kvFormat(const BuildOptions &options) {
  if (!options.kv.empty()) return options.kv;
  return options.quant == "f32" ? "f32" : "bf16";
}

void addFusion(OpPassManager &manager, const BuildOptions &options) {
  fusion::buildFusionPipeline(manager, options.disabledPasses);
}

void addQuantization(OpPassManager &manager, const BuildOptions &options) {
  quantization::ChooseFormatsOptions formats;
  formats.quant = options.quant;
  manager.addPass(quantization::createChooseFormats(formats));
  manager.addPass(quantization::createQuantizeActivations());
}

void addLowering(OpPassManager &manager, const BuildOptions &options) {
  lowering::Options plan;
  plan.prefillRows = options.prefillRows;
  plan.contextSize = options.contextSize;
  plan.kvFormat = kvFormat(options);
  lowering::buildLoweringPipeline(manager, plan);
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
  targets::allTargets().front()->buildLowering(manager);
  return passNames(manager);
}

}  // namespace gemmac::pipeline
