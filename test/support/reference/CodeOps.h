// SPDX-License-Identifier: Apache-2.0
// The quantized dialect's arithmetic on codes, exactly as docs/numerics.md
// (points 1 and 2) says: the same integers, the same order of the same fmas.
// No MLIR.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_CODEOPS_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_CODEOPS_H

#include "test/support/reference/Tensor.h"
#include "test/support/reference/Weight.h"

namespace gemmac::reference {

Activations quantizeActivation(const Tensor &input);
Tensor matmul(const Activations &input, const Weight &weight);

}  // namespace gemmac::reference

#endif
