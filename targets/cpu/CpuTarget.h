// SPDX-License-Identifier: Apache-2.0
// A target that is a CPU: what Target.h asks for, answered from a few facts of
// the machine; kernels are shared by all of them, and a subclass overrides of
// CpuKernels what its instructions do better. The lowering is LowerKernel and
// MLIR's conversions (CpuPipeline.h), the bytes are LLVM's (LlvmEmission.cpp).
#ifndef GEMMAC_TARGETS_CPU_CPUTARGET_H
#define GEMMAC_TARGETS_CPU_CPUTARGET_H

#include "targets/Target.h"
#include "targets/cpu/CpuKernels.h"
#include "targets/cpu/CpuPipeline.h"
#include "targets/cpu/ModelCode.h"

namespace gemmac::targets {

struct CpuFacts {
  llvm::StringRef name;         // "x86_64-avx2"
  llvm::StringRef description;  // one line for `gemmac targets`
  Machine machine;
  // What its code needs, in the words of ModelAbi.h (GEMMA_CPU_*), for the
  // check at an executable's start; and in LLVM's, to know whether it runs
  // here.
  uint64_t cpuFeatures = 0;
  std::vector<llvm::StringRef> required{};
};

class CpuTarget : public Target, public CpuKernels {
 public:
  explicit CpuTarget(CpuFacts facts) : facts(std::move(facts)) {}

  llvm::StringRef name() const override { return facts.name; }
  llvm::StringRef description() const override { return facts.description; }
  const Architecture &architecture() const override {
    return facts.machine.architecture;
  }
  const CpuTarget *asCpu() const override { return this; }
  CodeIdentity identity() const {
    return {facts.name.str(), facts.cpuFeatures};
  }
  // Whether this processor is of the architecture and has what is required; an
  // override adds what more it takes.
  bool runsHere() const override;
  llvm::Error checkOptions(const CodeOptions &options) const override;
  void buildLowering(mlir::OpPassManager &manager) const override;
  mlir::FailureOr<llvm::SmallVector<char, 0>> emit(
      mlir::ModuleOp module, Output output,
      const CodeOptions &options) const override;

 private:
  CpuFacts facts;
};

}  // namespace gemmac::targets

#endif
