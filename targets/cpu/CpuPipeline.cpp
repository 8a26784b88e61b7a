// SPDX-License-Identifier: Apache-2.0
// The passes below the kernel dialect. One file, because
// mlir/Conversion/Passes.h alone costs seconds to compile.
#include "targets/cpu/CpuPipeline.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "targets/cpu/Passes.h"

using namespace mlir;

namespace gemmac::targets {

void buildCpuLowering(OpPassManager &manager, StringRef target) {
  manager.addPass(createLowerKernel({target.str()}));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void registerCpuLoweringPasses() {
  registerCpuPasses();
  registerCanonicalizerPass();
  registerCSEPass();
  registerSCFToControlFlowPass();
  registerConvertVectorToLLVMPass();
  registerArithToLLVMConversionPass();
  registerConvertControlFlowToLLVMPass();
  registerConvertFuncToLLVMPass();
  registerReconcileUnrealizedCastsPass();
}

}  // namespace gemmac::targets
