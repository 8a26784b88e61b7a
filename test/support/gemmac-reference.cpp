// SPDX-License-Identifier: Apache-2.0
// gemmac-reference: the reference interpreter as a program.
//   gemmac-reference MODULE.mlir --tokens IDS.json --logits OUT.npy [--kv bf16]
//     [--order exact]
// A module of the gemma and quantized dialects (`gemmac build --stop-after=
// quantization`) and a JSON array of ids -> float32 [T, V] logits.
#include <fstream>

#include "dialects/gemma/Gemma.h"
#include "llvm/Support/CommandLine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "nlohmann/json.hpp"
#include "test/support/reference/Interpreter.h"
#include "test/support/reference/Npy.h"

using namespace mlir;
using namespace gemmac;

namespace cl = llvm::cl;

static cl::opt<std::string> modulePath(cl::Positional, cl::Required,
                                       cl::desc("MODULE.mlir"));
static cl::opt<std::string> tokensPath("tokens", cl::Required,
                                       cl::desc("JSON array of token ids"));
static cl::opt<std::string> logitsPath("logits", cl::Required,
                                       cl::desc("where the logits go (.npy)"));
static cl::opt<std::string> keyValueFormat(
    "kv", cl::init("f32"), cl::desc("format of keys and values: f32, bf16"));
static cl::opt<reference::Order> order(
    "order", cl::init(reference::Order::Double),
    cl::desc("how float ops are computed"),
    cl::values(clEnumValN(reference::Order::Double, "double",
                          "in double, with libm"),
               clEnumValN(reference::Order::Exact, "exact",
                          "as compiled code does, to the bit")));

static int fail(const llvm::Twine &message) {
  llvm::errs() << "error: " << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "gemmac reference interpreter\n");
  if (keyValueFormat != "f32" && keyValueFormat != "bf16")
    return fail("expected --kv f32 or bf16, found " + keyValueFormat);
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, func::FuncDialect, scf::SCFDialect,
                  gemmac::gemma::GemmaDialect,
                  gemmac::quantized::QuantizedDialect>();
  MLIRContext context(registry);
  auto module = parseSourceFile<ModuleOp>(modulePath, &context);
  if (!module) return 1;

  auto ids = nlohmann::json::parse(std::ifstream(tokensPath), nullptr,
                                   /*allow_exceptions=*/false);
  if (!ids.is_array() || !llvm::all_of(ids, [](const nlohmann::json &id) {
        return id.is_number_integer();
      }))
    return fail("expected an array of token ids in " + tokensPath);

  FailureOr<reference::Tensor> logits =
      reference::evaluate(*module, ids.get<std::vector<int32_t>>(),
                          {.keyValueFormat = keyValueFormat, .order = order});
  if (failed(logits)) return 1;
  if (!reference::writeNpy(logitsPath, *logits))
    return fail("cannot write " + logitsPath);
  return 0;
}
