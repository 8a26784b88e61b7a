// SPDX-License-Identifier: Apache-2.0
// The MLIR passes below the kernel dialect. One file, because
// mlir/Conversion/Passes.h alone costs seconds to compile.
#include "targets/cpu/CpuPipeline.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace gemmac::targets {

void buildCpuLowering(OpPassManager &manager, const CpuKernels &cpu,
                      CodeIdentity identity) {
  manager.addPass(createLowerKernelPass(cpu, std::move(identity)));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

}  // namespace gemmac::targets
