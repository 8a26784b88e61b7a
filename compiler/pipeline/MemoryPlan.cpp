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
  plan.context = model.getContext();
  plan.weights = model.getWeightBytes().value_or(0);
  plan.arena = model.getArenaBytes().value_or(0);
  for (Attribute layer : model.getKvLayers()) {
    auto fields = cast<DictionaryAttr>(layer);
    auto number = [&](StringRef name) {
      return fields.getAs<IntegerAttr>(name).getInt();
    };
    int64_t bytes = number("ring_blocks") * number("block_bytes");
    plan.kvSession += bytes;
    if (number("window"))
      plan.kvSliding += bytes;
    else
      plan.kvToken += number("block_bytes") / GEMMA_KV_BLOCK;
  }
  return plan;
}

FailureOr<MemoryPlan> planMemory(ModuleOp module, const BuildOptions &options) {
  // Which tensors cannot take a format is for the build to say.
  ScopedDiagnosticHandler noWarnings(
      module.getContext(), [](Diagnostic &diagnostic) {
        return success(diagnostic.getSeverity() == DiagnosticSeverity::Warning);
      });
  OwningOpRef<ModuleOp> copy(module.clone());
  Seams seams(options, *module.getContext());
  LogicalResult lowered = seams.run(*copy, [&](OpPassManager &manager) {
    addFusion(manager, options);
    addQuantization(manager, options);
    addLowering(manager, options);
  });
  if (failed(lowered)) return failure();
  auto models = copy->getOps<kernel::ModelOp>();
  if (models.empty())
    return copy->emitError("expected a kernel.model after lowering");
  return readPlan(*models.begin());
}

}  // namespace gemmac::pipeline
