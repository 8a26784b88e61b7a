// SPDX-License-Identifier: Apache-2.0
// See KernelHarness.h.
#include "test/targets/cpu/KernelHarness.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
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

// One step function of `body` stands for all four entry points.
static std::string stepModule(const std::string &header,
                              const std::string &body,
                              const std::string &kvLayers) {
  return "module {\n" + header +
         "func.func private @step(%step: !kernel.step) {\n" + body +
         "return }\n"
         "kernel.model @gemma_model_test {decode = @step, batch = @step, "
         "prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = "
         "512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 16 : "
         "i64, kv = #kernel.kv_plan<format = f32, positions = 1024, slots = "
         "64" +
         kvLayers + ">, arena_bytes = 64 : i64, weight_bytes = 64 : i64}\n}\n";
}

// Bytes that no kernel may touch stand behind every buffer.
static constexpr int64_t kGuardBytes = 64;
static constexpr uint8_t kGuard = 0xa5;

void StepProgram::buffer(const std::string &name, const std::string &type,
                         int64_t size) {
  int64_t offset = start.size();
  buffers[name] = {type, offset, size};
  start.resize((offset + size + kGuardBytes + 63) / 64 * 64, kGuard);
  body += "%" + name + " = kernel.arena %step at " + std::to_string(offset) +
          " : " + type + "\n";
}

void StepProgram::floats(const std::string &name, int64_t columns,
                         const std::vector<float> &values) {
  int64_t count = int64_t(rows.size()) * columns;
  buffer(name, "memref<?x" + std::to_string(columns) + "xf32>", count * 4);
  std::vector<float> all(count, NAN);
  std::copy_n(values.begin(), std::min<size_t>(values.size(), count),
              all.begin());
  std::memcpy(&start[buffers[name].offset], all.data(), count * 4);
}

void StepProgram::bytes(const std::string &name, int64_t columns) {
  buffer(name, "memref<?x" + std::to_string(columns) + "xi8>",
         int64_t(rows.size()) * columns);
}

void StepProgram::weight(const std::string &name, const std::string &shape,
                         const quantized::WeightFormat &format,
                         int64_t sourceBytes, llvm::ArrayRef<uint8_t> packed) {
  std::string formatName = format.name().str();
  std::string type = "!quantized.tensor<" + shape + ", " + formatName + ">";
  buffers[name].type = type;
  header += "quantized.weight @" + name + " : " + type +
            " from [#quantized.source<file = 0, offset = 0, bytes = " +
            std::to_string(sourceBytes) + ", format = \"" + formatName +
            "\">] {layout = #quantized.layout<" +
            (shape.find('x') == std::string::npos ? "dense" : "rows_in_lanes") +
            ">, packed_offset = " + std::to_string(weights.size()) +
            " : i64}\n";
  body += "%" + name + " = quantized.reference @" + name + " : " + type + "\n";
  weights.insert(weights.end(), packed.begin(), packed.end());
  weights.resize((weights.size() + 63) / 64 * 64);
}

void StepProgram::weight(const std::string &name, int64_t rows, int64_t columns,
                         const quantized::WeightFormat &format,
                         const std::vector<uint8_t> &packed) {
  weight(name, std::to_string(rows) + "x" + std::to_string(columns), format,
         format.sourceBytes(rows, columns), packed);
}

void StepProgram::gain(const std::string &name,
                       const std::vector<float> &values) {
  auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
  int64_t size = int64_t(values.size()) * 4;
  weight(name, std::to_string(values.size()), *quantized::lookupFormat("f32"),
         size, {bytes, size_t(size)});
}

void StepProgram::phase(const std::string &tiles, const std::string &text) {
  body += "kernel.phase %step tiles(" + tiles + ") {\n^bb0(%t: index):\n" +
          text + "\n}\n";
}

std::string StepProgram::type(const std::string &name) const {
  return buffers.at(name).type;
}

std::string StepProgram::run(const targets::Target &target) {
  CompiledKernels kernels;
  std::string error;
  const gemma_model_code *code = kernels.compile(
      stepModule(header, "%n = kernel.row_count %step\n" + body, kvLayers),
      target, error);
  if (!code) return "not compiled: " + error;
  arena = start;
  gemma_step step{};
  step.rows = rows.data();
  step.count = int64_t(rows.size());
  step.weights = weights.data();
  step.arena = arena.data();
  kernels.run(code->decode, step);
  for (const auto &[name, buffer] : buffers)
    for (int64_t i = 0; buffer.size && i < kGuardBytes; ++i)
      if (arena[buffer.offset + buffer.size + i] != kGuard)
        return "written past the end of " + name;
  return "";
}

std::vector<float> StepProgram::floatsOf(const std::string &name) const {
  const Buffer &buffer = buffers.at(name);
  std::vector<float> values(buffer.size / 4);
  std::memcpy(values.data(), &arena[buffer.offset], buffer.size);
  return values;
}

std::vector<uint8_t> StepProgram::bytesOf(const std::string &name) const {
  const Buffer &buffer = buffers.at(name);
  auto begin = arena.begin() + buffer.offset;
  return {begin, begin + buffer.size};
}

std::string firstDifference(const std::vector<float> &expected,
                            const std::vector<float> &found) {
  if (expected.size() != found.size())
    return "expected " + std::to_string(expected.size()) + " floats, found " +
           std::to_string(found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!std::memcmp(&expected[i], &found[i], 4)) continue;
    if (std::isnan(expected[i]) && std::isnan(found[i])) continue;
    char text[96];
    std::snprintf(text, sizeof text,
                  "[%zu]: expected %.9g (%a), found %.9g (%a)", i, expected[i],
                  expected[i], found[i], found[i]);
    return text;
  }
  return "";
}

std::string targetTestName(const targets::Target &target) {
  std::string name = target.name().str();
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

}  // namespace gemmac::test
