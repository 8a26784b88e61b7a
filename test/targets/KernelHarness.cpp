// See KernelHarness.h.
#include "test/targets/KernelHarness.h"

#include <cstdlib>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

// The two runtime functions, for one thread.
static int64_t nextTile = 0;
extern "C" int64_t testNextTile(const gemma_step *, int32_t, int64_t) {
  return nextTile++;
}
extern "C" void testPhaseEnd(const gemma_step *, int32_t) { nextTile = 0; }

namespace gemmac::test {

struct CompiledKernels::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  const gemma_model_code *code = nullptr;
};

CompiledKernels::CompiledKernels() : state(new State) {}
CompiledKernels::~CompiledKernels() = default;
CompiledKernels::CompiledKernels(CompiledKernels &&) = default;

const gemma_model_code *CompiledKernels::compile(const std::string &text,
                                                 const targets::Target &target,
                                                 std::string &error) {
  DialectRegistry registry;
  registry.insert<kernel::KernelDialect, quantized::QuantizedDialect,
                  func::FuncDialect, arith::ArithDialect, scf::SCFDialect,
                  vector::VectorDialect, LLVM::LLVMDialect,
                  memref::MemRefDialect>();
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error += diagnostic.str() + "\n";
    return success();
  });
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module) return nullptr;
  PassManager manager(&context);
  target.buildLowering(manager);
  if (failed(manager.run(*module))) return nullptr;
  auto object = target.emit(*module, targets::Target::Output::Object, {});
  if (failed(object)) return nullptr;

  auto fail = [&](llvm::Error failure) {
    error += llvm::toString(std::move(failure));
    return nullptr;
  };
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) return fail(jit.takeError());
  state->jit = std::move(*jit);
  llvm::orc::SymbolMap symbols;
  auto define = [&](const char *name, auto *function) {
    symbols[state->jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function),
        llvm::JITSymbolFlags::Exported};
  };
  define("gemma_next_tile", &testNextTile);
  define("gemma_phase_end", &testPhaseEnd);
  auto &library = state->jit->getMainJITDylib();
  llvm::cantFail(library.define(llvm::orc::absoluteSymbols(symbols)));
  // libm's fmaf and compiler-rt's half conversions, for the portable target.
  library.addGenerator(llvm::cantFail(
      llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          state->jit->getDataLayout().getGlobalPrefix())));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(
      StringRef(object->data(), object->size()), "kernels.o");
  if (auto failure = state->jit->addObjectFile(std::move(buffer)))
    return fail(std::move(failure));
  auto symbol = state->jit->lookup("gemma_model_test");
  if (!symbol) return fail(symbol.takeError());
  state->code = symbol->toPtr<const gemma_model_code *>();
  return state->code;
}

void CompiledKernels::run(gemma_step_function entry, gemma_step step) const {
  auto *scratch = static_cast<uint8_t *>(std::aligned_alloc(
      64, size_t(state->code->scratch_bytes + 64) / 64 * 64));
  step.scratch = scratch;
  step.scratch_stride = state->code->scratch_bytes;
  step.threads = 1;
  entry(&step, 0);
  std::free(scratch);
}

std::string stepModule(const std::string &header, const std::string &body,
                       const std::string &kvLayers) {
  return "module {\n" + header +
         "func.func private @step(%step: !kernel.step) {\n" + body +
         "return }\n"
         "kernel.model @gemma_model_test {decode = @step, batch = @step, "
         "prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = "
         "512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 16 : "
         "i64, context = 1024 : i64, kv_slots = 64 : i64, kv_layers = [" +
         kvLayers + "], arena_bytes = 64 : i64, weight_bytes = 64 : i64}\n}\n";
}

std::vector<const targets::Target *> runnableTargets() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  std::vector<const targets::Target *> result;
  for (const targets::Target *target : targets::allTargets())
    if (target->runsHere()) result.push_back(target);
  return result;
}

}  // namespace gemmac::test
