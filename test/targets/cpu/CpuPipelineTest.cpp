// SPDX-License-Identifier: Apache-2.0
// The passes of a target, as text and back: what a crash reproducer carries.
#include "targets/cpu/CpuPipeline.h"

#include <gtest/gtest.h>

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace gemmac;

namespace {

std::string textOf(OpPassManager &manager) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  manager.printAsTextualPipeline(stream);
  return text;
}

TEST(CpuPipelineTest, TextOfEveryTargetReadsBack) {
  targets::registerCpuLoweringPasses();
  for (const targets::Target *target : targets::allTargets()) {
    OpPassManager manager(ModuleOp::getOperationName());
    target->buildLowering(manager);
    std::string text = textOf(manager);
    std::string pass =
        "gemmac-lower-kernel{target=" + target->name().str() + "}";
    EXPECT_NE(text.find(pass), std::string::npos) << text;
    FailureOr<OpPassManager> again = parsePassPipeline(text);
    ASSERT_TRUE(succeeded(again)) << text;
    EXPECT_EQ(textOf(*again), text);
  }
}

}  // namespace
