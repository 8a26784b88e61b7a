// The reference interpreter of the gemma and quantized dialects: the judge of
// every pass and every target. Never shipped.
//
//   FailureOr<Tensor> logits = reference::evaluate(module, tokens, {});
//
// A module with func @forward(%tokens, %positions) and the checkpoint files
// that its `gemma.sources` names -> the logits of a whole sequence from
// position 0, [T, V]. One thread, no cache, no blocks, no lowering: keys and
// values are those of the call itself, softmax is the textbook's. It shares
// only decodeReference, parse and encode with the product.
//
// Rounding: float ops sum in double and round to f32 once, with libm's
// functions, so a target is compared by tolerance. quantize_activation and
// matmul are exactly points 1 and 2 of docs/numerics.md, so their results are
// compared by bits where their inputs are equal.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_INTERPRETER_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_INTERPRETER_H

#include <cstdint>
#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "mlir/IR/BuiltinOps.h"

#include "test/support/reference/Tensor.h"

namespace gemmac::reference {

struct Options {
  // Format in which attention reads keys and values: "f32" or "bf16".
  std::string keyValueFormat = "f32";
};

// Errors are diagnostics at the op (or the weight) that cannot be evaluated.
mlir::FailureOr<Tensor> evaluate(mlir::ModuleOp module,
                                 llvm::ArrayRef<int32_t> tokens,
                                 const Options &options = {});

}  // namespace gemmac::reference

#endif
