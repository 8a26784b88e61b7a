// SPDX-License-Identifier: Apache-2.0
// The LLVM dialect -> LLVM IR -> object, assembly or text. Optimisation level 2
// with the vectorisers off: the kernels are vectors already. A --cpu tunes
// within the target's level and never widens it. What LLVM is told of a machine
// comes from its Machine and Architecture; none is named here.
#include <mutex>

#include "llvm/CodeGen/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "targets/cpu/CpuPipeline.h"

using namespace mlir;

namespace gemmac::targets {
namespace {

// Code generation that leaves out what would change the order of a kernel's
// operations. They are emitted in the order in which their registers suffice;
// LLVM's scheduler and its balancing of add chains hoist all loads of a group:
// on AVX2 96 spills in the inner loop of a 5-bit matmul, 32 in the order as it
// is. No attribute says so, and LLVM's own options would hold for the process.
class KeptOrder : public llvm::legacy::PassManager {
 public:
  void add(llvm::Pass *pass) override {
    if (pass->getPassID() == &llvm::MachineSchedulerID ||
        pass->getPassID() == &llvm::MachineCombinerID)
      delete pass;
    else
      llvm::legacy::PassManager::add(pass);
  }
};

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
// error in the back end.
void setLevel(llvm::Module &module, const llvm::TargetMachine &machine,
              const Machine &target, StringRef tuning) {
  std::string width = std::to_string(target.vectorBits);
  for (llvm::Function &function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    if (!tuning.empty()) function.addFnAttr("tune-cpu", tuning);
    for (StringRef attribute : target.architecture.vectorWidthAttributes)
      function.addFnAttr(attribute, width);
    function.setDoesNotThrow();
  }
}

// A feature that chooses between instructions and adds none.
bool isTuning(StringRef feature) {
  return feature.starts_with("fast-") || feature.starts_with("slow-") ||
         feature.starts_with("prefer-") || feature.starts_with("tuning-");
}

}  // namespace

llvm::Error checkCpuOptions(const Machine &machine,
                            const CodeOptions &options) {
  initializeBackends();
  llvm::Triple triple(machine.architecture.triple);
  std::string message;
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend) return llvm::createStringError(message);
  std::unique_ptr<llvm::MCSubtargetInfo> level(
      backend->createMCSubtargetInfo(triple, machine.cpu, machine.features));
  if (!options.cpu.empty() && !level->isCPUStringValid(options.cpu))
    return llvm::createStringError(
        "--cpu: expected a processor that LLVM knows for " +
        triple.getArchName() + ", found '" + options.cpu + "'");
  for (StringRef word : llvm::split(options.mattr, ',')) {
    if (options.mattr.empty()) break;
    StringRef name = word.drop_front(!word.empty());
    bool isKnown = llvm::any_of(level->getAllProcessorFeatures(),
                                [&](const llvm::SubtargetFeatureKV &known) {
                                  return name == known.Key;
                                });
    if (!isKnown || !StringRef("+-").contains(word.front()))
      return llvm::createStringError(
          "--mattr: expected +FEATURE or -FEATURE that LLVM knows for " +
          triple.getArchName() + ", found '" + word + "'");
    if (word.front() == '+' && !isTuning(name) &&
        !level->checkFeatures(word.str()))
      return llvm::createStringError(
          "--mattr: expected features within the target's level, which is all "
          "that an executable checks for at its start, found '" +
          word + "'");
  }
  return llvm::Error::success();
}

FailureOr<SmallVector<char, 0>> emitCpuCode(ModuleOp module,
                                            const Machine &target,
                                            Target::Output output,
                                            const CodeOptions &options) {
  initializeBackends();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::Triple triple(target.architecture.triple);
  std::string message;
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend)
    return module.emitError("no code generator for ")
           << triple.str() << ": " << message;
  std::string features = target.features;
  if (!options.mattr.empty())
    features += (features.empty() ? "" : ",") + options.mattr;
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, target.cpu, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      target.architecture.codeModel, llvm::CodeGenOptLevel::Default));
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(module, context, "gemma_model");
  if (!code) return module.emitError("translation to LLVM IR failed");
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple(triple);
  setLevel(*code, *machine, target, options.cpu);
  optimize(*code, *machine);

  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (output == Target::Output::LlvmIr) {
    code->print(stream, nullptr);
    return bytes;
  }
  KeptOrder passes;
  auto kind = output == Target::Output::Object
                  ? llvm::CodeGenFileType::ObjectFile
                  : llvm::CodeGenFileType::AssemblyFile;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, kind))
    return module.emitError("the code generator cannot write this output");
  passes.run(*code);
  return bytes;
}

}  // namespace gemmac::targets
