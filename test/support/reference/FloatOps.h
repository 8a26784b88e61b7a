// The formulas of the gemma dialect's float ops on whole tensors, one function
// an op, as the op's documentation writes them. Sums in double, libm's
// functions, one rounding to f32 at the end. No MLIR.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_FLOATOPS_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_FLOATOPS_H

#include "test/support/reference/Tensor.h"
#include "test/support/reference/Weight.h"

namespace gemmac::reference {

Tensor embed(const std::vector<int32_t> &tokens, const Weight &weight,
             float scale);
Tensor rmsNorm(const Tensor &input, const Weight &gain, float eps,
               float gainOffset);
Tensor linear(const Tensor &input, const Weight &weight);
Tensor ropeAngles(const std::vector<int32_t> &positions, int64_t headDim,
                  double theta, double factor);
Tensor rope(const Tensor &input, const Tensor &angles);
Tensor attentionScores(const Tensor &query, const Tensor &key, int64_t headDim,
                       float scale);
Tensor softcap(const Tensor &input, float cap);
// Score j belongs to positions[j]: the call holds the whole sequence.
Tensor mask(const Tensor &scores, const std::vector<int32_t> &positions,
            int64_t window);
Tensor softmax(const Tensor &input);
Tensor attentionValues(const Tensor &probabilities, const Tensor &value,
                       int64_t headDim);
Tensor geglu(const Tensor &gate, const Tensor &up);
Tensor add(const Tensor &lhs, const Tensor &rhs);
// Every value rounded to bf16, as a bf16 cache stores it.
Tensor roundToBf16(const Tensor &input);

}  // namespace gemmac::reference

#endif
