// SPDX-License-Identifier: Apache-2.0
// Runs the stages that settle sizes on a copy and reads kernel.model's
// attributes. See MemoryPlan.h.
#include "compiler/pipeline/MemoryPlan.h"

#include "compiler/pipeline/Seams.h"
#include "compiler/pipeline/Stages.h"
#include "dialects/kernel/Kernel.h"
#include "runtime/include/gemma/ModelAbi.h"

using namespace mlir;

namespace gemmac::pipeline {

static MemoryPlan readPlan(kernel::ModelOp model) {
  MemoryPlan plan;
  plan.context = model.getKv().getPositions();
  plan.weights = model.getWeightBytes().value_or(0);
  plan.arena = model.getArenaBytes().value_or(0);
  for (kernel::KvLayerAttr layer : model.getKv().getLayers()) {
    int64_t bytes = layer.getRingBlocks() * layer.getBlockBytes();
    plan.kvSession += bytes;
    if (layer.getWindow())
      plan.kvSliding += bytes;
    else
      plan.kvToken += layer.getBlockBytes() / GEMMA_KV_BLOCK;
  }
  return plan;
}

FailureOr<MemoryPlan> planMemory(ModuleOp module, const BuildOptions &options) {
  // Which tensors cannot take a format is for the build to say.
  ScopedDiagnosticHandler noWarnings(
      module.getContext(), [](Diagnostic &diagnostic) {
        return success(diagnostic.getSeverity() == DiagnosticSeverity::Warning);
      });
  std::string message;
  const targets::Target *target =
      targets::lookupTarget(options.target, message);
  if (!target) return module.emitError(message);
  OwningOpRef<ModuleOp> copy(module.clone());
  Seams seams(options, *module.getContext());
  LogicalResult lowered = seams.run(*copy, [&](OpPassManager &manager) {
    addFusion(manager, options);
    addQuantization(manager, options);
    addLowering(manager, options, target->tiling());
  });
  if (failed(lowered)) return failure();
  auto models = copy->getOps<kernel::ModelOp>();
  if (models.empty())
    return copy->emitError("expected a kernel.model after lowering");
  return readPlan(*models.begin());
}

}  // namespace gemmac::pipeline
