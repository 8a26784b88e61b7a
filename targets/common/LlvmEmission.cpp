// The LLVM dialect -> LLVM IR -> object, assembly or text. Optimisation level 2
// with the vectorisers off: the kernels are vectors already.
#include <mutex>

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "targets/common/CpuPipeline.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

void initializeBackends() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

// Each function carries the level: an intrinsic without its feature is a fatal
// error in the back end, and LLVM prefers 256-bit registers on AVX-512.
void setLevel(llvm::Module &module, const llvm::TargetMachine &machine,
              unsigned vectorBits) {
  std::string width = std::to_string(vectorBits);
  for (llvm::Function &function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr("prefer-vector-width", width);
    function.addFnAttr("min-legal-vector-width", width);
    function.setDoesNotThrow();
  }
}

}  // namespace

FailureOr<SmallVector<char, 0>> emitCpuCode(ModuleOp module,
                                            const Machine &target,
                                            Target::Output output,
                                            const CodeOptions &options) {
  initializeBackends();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::Triple triple(target.triple);
  std::string message;
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend)
    return module.emitError("no code generator for ")
           << target.triple << ": " << message;
  std::string features = target.features;
  if (!options.mattr.empty())
    features += (features.empty() ? "" : ",") + options.mattr;
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, options.cpu.empty() ? target.cpu : options.cpu, features,
      llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(module, context, "gemma_model");
  if (!code) return module.emitError("translation to LLVM IR failed");
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple(triple);
  setLevel(*code, *machine, target.vectorBits);
  optimize(*code, *machine);

  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (output == Target::Output::LlvmIr) {
    code->print(stream, nullptr);
    return bytes;
  }
  llvm::legacy::PassManager passes;
  auto kind = output == Target::Output::Object
                  ? llvm::CodeGenFileType::ObjectFile
                  : llvm::CodeGenFileType::AssemblyFile;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, kind))
    return module.emitError("the code generator cannot write this output");
  passes.run(*code);
  return bytes;
}

}  // namespace gemmac::targets
