// SPDX-License-Identifier: Apache-2.0
// See LoadedObject.h.
#include "test/support/LoadedObject.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"

namespace gemmac::test {

struct LoadedObject::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

LoadedObject::LoadedObject() : state(new State) {}
LoadedObject::~LoadedObject() = default;
LoadedObject::LoadedObject(LoadedObject &&) = default;

const gemma_model_code *LoadedObject::load(std::string bytes,
                                           const std::string &symbol,
                                           const Symbols &symbols,
                                           std::string &error) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto fail = [&](llvm::Error failure) {
    error += llvm::toString(std::move(failure));
    return nullptr;
  };
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) return fail(jit.takeError());
  state->jit = std::move(*jit);
  llvm::orc::SymbolMap map;
  for (const auto &[name, address] : symbols)
    map[state->jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported};
  auto &library = state->jit->getMainJITDylib();
  if (auto failure = library.define(llvm::orc::absoluteSymbols(map)))
    return fail(std::move(failure));
  // libm's fmaf and compiler-rt's half conversions, for the portable target.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      state->jit->getDataLayout().getGlobalPrefix());
  if (!process) return fail(process.takeError());
  library.addGenerator(std::move(*process));
  if (auto failure = state->jit->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(bytes, "model.o")))
    return fail(std::move(failure));
  auto found = state->jit->lookup(symbol);
  if (!found) return fail(found.takeError());
  return found->toPtr<const gemma_model_code *>();
}

}  // namespace gemmac::test
