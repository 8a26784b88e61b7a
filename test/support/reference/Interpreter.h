// SPDX-License-Identifier: Apache-2.0
// The reference interpreter of the gemma and quantized dialects: the judge of
// every pass and every target. Never shipped.
//
//   FailureOr<Tensor> logits = reference::evaluate(module, tokens, {});
//
// A module with func @forward(%tokens, %positions) and the checkpoint files
// that its `gemma.sources` names -> the logits (the first result) of a whole
// sequence from position 0, [T, V]. One thread, no cache, no lowering: keys and
// values are those of the call itself. It shares only decodeReference, parse
// and encode with the product.
//
// quantize_activation and matmul keep docs/numerics.md to the bit. So do float
// ops with Order::Exact: the logits are then those of compiled code, bit for
// bit. With Order::Double they know no order and are compared by tolerance.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_INTERPRETER_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_INTERPRETER_H

#include <cstdint>

#include "llvm/ADT/ArrayRef.h"
#include "mlir/IR/BuiltinOps.h"

#include "test/support/reference/Options.h"
#include "test/support/reference/Tensor.h"

namespace gemmac::reference {

// Errors are diagnostics at the op (or the weight) that cannot be evaluated.
mlir::FailureOr<Tensor> evaluate(mlir::ModuleOp module,
                                 llvm::ArrayRef<int32_t> tokens,
                                 const Options &options = {});

}  // namespace gemmac::reference

#endif
