// SPDX-License-Identifier: Apache-2.0
// The cache of kernels: one function for what has one key, another for what has
// another key, whatever the names.
#include "targets/cpu/KernelLibrary.h"

#include <gtest/gtest.h>

#include "dialects/kernel/Kernel.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace gemmac;
using targets::kernelKey;

namespace {

class KernelLibraryTest : public testing::Test {
 protected:
  KernelLibraryTest() {
    context.loadDialect<kernel::KernelDialect, quantized::QuantizedDialect,
                        func::FuncDialect, memref::MemRefDialect,
                        LLVM::LLVMDialect>();
  }

  // Parses a step function of a module that has `symbols` beside it.
  void parse(const std::string &body, const std::string &symbols = "") {
    module = parseSourceString<ModuleOp>(
        symbols +
            "func.func private @step(%step: !kernel.step, %row: index, "
            "%other: index) {\n" +
            body + "return }\n",
        &context);
    ASSERT_TRUE(module);
    library.emplace(*module, cpu);
  }
  func::FuncOp get(targets::KernelKey key, StringRef name) {
    return library->get(key, name, {}, module->getLoc(),
                        [&](targets::Emitter &, ValueRange) { ++bodies; });
  }
  // The module's operations of that name, in order.
  SmallVector<Operation *> operations(StringRef name) {
    SmallVector<Operation *> found;
    module->walk([&](Operation *op) {
      if (op->getName().getStringRef() == name) found.push_back(op);
    });
    return found;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
  targets::CpuKernels cpu;
  std::optional<targets::KernelLibrary> library;
  int bodies = 0;
};

TEST_F(KernelLibraryTest, OneFunctionForOneKey) {
  parse("");
  func::FuncOp first = get(kernelKey(&context, "fold", 64), "fold_64");
  EXPECT_EQ(get(kernelKey(&context, "fold", 64), "fold_64"), first);
  EXPECT_EQ(first.getSymName(), "fold_64");
  EXPECT_EQ(bodies, 1);
}

// The name is what a person reads: two kernels may come to have one.
TEST_F(KernelLibraryTest, AnotherKeyOfThatNameGetsANumber) {
  parse("");
  func::FuncOp first = get(kernelKey(&context, "fold", 64), "fold");
  func::FuncOp second = get(kernelKey(&context, "fold", 32), "fold");
  func::FuncOp third = get(kernelKey(&context, "fold", 32, 1.0f), "fold");
  EXPECT_EQ(first.getSymName(), "fold");
  EXPECT_EQ(second.getSymName(), "fold_2");
  EXPECT_EQ(third.getSymName(), "fold_3");
  EXPECT_EQ(get(kernelKey(&context, "fold", 32), "fold"), second);
  EXPECT_EQ(bodies, 3);
}

// A symbol that the module came with is nobody's kernel.
TEST_F(KernelLibraryTest, TheModulesOwnSymbolIsNotTaken) {
  parse("", "func.func private @add_64()\n");
  func::FuncOp made = get(kernelKey(&context, "add", 64), "add_64");
  EXPECT_EQ(made.getSymName(), "add_64_2");
  EXPECT_FALSE(made.isDeclaration());
}

TEST_F(KernelLibraryTest, KeyOfAnOperationIsAllThatItsBodyReads) {
  std::string values =
      "%a = kernel.arena %step at 0 : memref<?x64xf32>\n"
      "%b = kernel.arena %step at 4096 : memref<?x64xf32>\n"
      "%c = kernel.arena %step at 8192 : memref<?x32xf32>\n";
  std::string softcap = "kernel.softcap_row ", type =
                                                   " : memref<?x64xf32>, "
                                                   "memref<?x64xf32>\n";
  parse(values + softcap + "%a, %b[%row] {cap = 30.0 : f32}" + type +
        // Other operands and a mark of somebody's: the same body.
        softcap + "%b, %a[%other] {cap = 30.0 : f32, test.mark}" + type +
        // Another cap; another width.
        softcap + "%a, %b[%row] {cap = 50.0 : f32}" + type + softcap +
        "%c, %c[%row] {cap = 30.0 : f32} : memref<?x32xf32>, "
        "memref<?x32xf32>\n"
        // Another operation of the same operands.
        "kernel.copy_row %a[%row], %b[%row] : memref<?x64xf32>, "
        "memref<?x64xf32>\n");
  SmallVector<Operation *> caps = operations("kernel.softcap_row");
  ASSERT_EQ(caps.size(), 4u);
  EXPECT_EQ(kernelKey(caps[0]), kernelKey(caps[1]));
  EXPECT_NE(kernelKey(caps[0]), kernelKey(caps[2]));
  EXPECT_NE(kernelKey(caps[0]), kernelKey(caps[3]));
  EXPECT_NE(kernelKey(caps[0]),
            kernelKey(operations("kernel.copy_row").front()));
}

TEST_F(KernelLibraryTest, TablesAreTheirValues) {
  parse("");
  OpBuilder builder(&context);
  builder.setInsertionPointToStart(module->getBody());
  targets::Emitter e(builder, module->getLoc());
  auto table = [&](ArrayRef<int64_t> values) {
    auto type = RankedTensorType::get({int64_t(values.size())}, e.i64());
    Value address =
        library->constants(e, "offsets", DenseElementsAttr::get(type, values));
    return address.getDefiningOp<LLVM::AddressOfOp>().getGlobalName().str();
  };
  EXPECT_EQ(table({1, 2}), "offsets");
  EXPECT_EQ(table({1, 3}), "offsets_2");
  EXPECT_EQ(table({1, 2}), "offsets");
}

}  // namespace
