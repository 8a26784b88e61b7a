// SPDX-License-Identifier: Apache-2.0
// The float ops of the gemma dialect on whole tensors, one function an op.
// Ops that round in only one way, once a value, are functions; the others have
// two judges behind one interface: DoubleOps.cpp, which knows no order of sums,
// and ExactOps.cpp, which keeps that of docs/numerics.md. No MLIR.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_FLOATOPS_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_FLOATOPS_H

#include "test/support/reference/Options.h"
#include "test/support/reference/Tensor.h"
#include "test/support/reference/Weight.h"

namespace gemmac::reference {

// What gemma.attention is, apart from its tensors.
struct AttentionShape {
  int64_t headDim;
  float scale;
  float softcap;   // 0: none
  int64_t window;  // 0: all positions
};

class FloatOps {
 public:
  virtual ~FloatOps() = default;
  virtual Tensor rmsNorm(const Tensor &input, const Weight &gain, float eps,
                         float gainOffset) const = 0;
  virtual Tensor linear(const Tensor &input, const Weight &weight) const = 0;
  virtual Tensor ropeAngles(const std::vector<int32_t> &positions,
                            int64_t headDim, double theta,
                            double factor) const = 0;
  virtual Tensor rope(const Tensor &input, const Tensor &angles) const = 0;
  virtual Tensor softcap(const Tensor &input, float cap) const = 0;
  virtual Tensor geglu(const Tensor &gate, const Tensor &up) const = 0;
  // Row j of key and value belongs to positions[j]: the call holds the whole
  // sequence.
  virtual Tensor attention(const Tensor &query, const Tensor &key,
                           const Tensor &value,
                           const std::vector<int32_t> &positions,
                           const AttentionShape &shape) const = 0;
};

const FloatOps &floatOps(Order order);
// The two of them; they live as long as the program.
const FloatOps &doubleOps();
const FloatOps &exactOps();

Tensor embed(const std::vector<int32_t> &tokens, const Weight &weight,
             float scale);
Tensor add(const Tensor &lhs, const Tensor &rhs);
// Of each row the largest number and its column, [T, 2]: the first of equals,
// −inf and 0 where all are NaN.
Tensor argMax(const Tensor &input);
// Every value rounded to bf16, as a bf16 cache stores it.
Tensor roundToBf16(const Tensor &input);

// The parts of attention before FuseAttention, in double: no compiled code
// computes them one by one, so they have no order of their own.
Tensor attentionScores(const Tensor &query, const Tensor &key, int64_t headDim,
                       float scale);
// Score j belongs to positions[j].
Tensor mask(const Tensor &scores, const std::vector<int32_t> &positions,
            int64_t window);
Tensor softmax(const Tensor &input);
Tensor attentionValues(const Tensor &probabilities, const Tensor &value,
                       int64_t headDim);

}  // namespace gemmac::reference

#endif
