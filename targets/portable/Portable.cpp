// SPDX-License-Identifier: Apache-2.0
// The portable target: see Portable.h.
#include "targets/portable/Portable.h"

#include "targets/cpu/CpuPipeline.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

const Machine kMachine{"x86_64-unknown-linux-gnu", "x86-64", "", 128};

class Portable : public Target, public CpuKernels {
 public:
  StringRef name() const override { return "portable"; }
  StringRef description() const override {
    return "x86-64 without extensions; exact and slow";
  }
  StringRef architecture() const override { return "x86_64"; }
  bool runsHere() const override { return true; }
  llvm::Error checkOptions(const CodeOptions &options) const override {
    return checkCpuOptions(kMachine, options);
  }
  void buildLowering(OpPassManager &manager) const override {
    buildCpuLowering(manager, *this, {"portable", 0});
  }
  FailureOr<SmallVector<char, 0>> emit(
      ModuleOp module, Output output,
      const CodeOptions &options) const override {
    return emitCpuCode(module, kMachine, output, options);
  }
};

}  // namespace

const Target &portableTarget() {
  static const Portable target;
  return target;
}

}  // namespace gemmac::targets
