// SPDX-License-Identifier: Apache-2.0
// --gemmac-fuse-rope: attention(rope(q), rope(k)), with or without a norm of
// the heads before -> attention that normalises and rotates on the way to the
// product and into the cache. IR before and after: test/fusion/fuse-rope.mlir.
// Needs gemma.attention: runs after FuseAttention.
#include "compiler/fusion/Matching.h"
#include "compiler/fusion/Passes.h"

namespace gemmac::fusion {
#define GEN_PASS_DEF_FUSEROPE
#include "compiler/fusion/Passes.h.inc"
}  // namespace gemmac::fusion

using namespace mlir;
using namespace gemmac;
using namespace gemmac::fusion;

namespace {

class FuseRope : public fusion::impl::FuseRopeBase<FuseRope> {
 public:
  void runOnOperation() override;
};

const Remarks remarks("FuseRope");

}  // namespace

namespace {

// rope, and the norm in front of it if each head has its own segment.
struct Rotated {
  gemma::RopeOp rope;
  gemma::RmsNormOp norm;  // may be null
  Value input() { return norm ? norm.getInput() : rope.getInput(); }
};

}  // namespace

static Rotated match(Value value, int64_t headDim) {
  Rotated found{singleUseProducer<gemma::RopeOp>(value), {}};
  if (!found.rope) return found;
  auto norm = singleUseProducer<gemma::RmsNormOp>(found.rope.getInput());
  if (norm && !norm.getResidual() &&
      norm.getGain().getType().columns() == headDim)
    found.norm = norm;
  return found;
}

static std::optional<StringRef> obstacle(Rotated query, Rotated key,
                                         int64_t headDim) {
  if (!query.rope || !key.rope)
    return "query or key is no rope that only the attention reads";
  if (query.rope.getAngles() != key.rope.getAngles())
    return "query and key are not rotated by the same angles";
  auto angles = cast<RankedTensorType>(query.rope.getAngles().getType());
  if (angles.getDimSize(1) != headDim)
    return "the angles are those of other heads";
  return std::nullopt;
}

void FuseRope::runOnOperation() {
  for (auto attention : collect<gemma::AttentionOp>(getOperation())) {
    if (attention.getAngles()) continue;
    int64_t headDim = attention.getHeadDim();
    Rotated query = match(attention.getQuery(), headDim);
    Rotated key = match(attention.getKey(), headDim);
    if (auto why = obstacle(query, key, headDim)) {
      remarks.missed(attention, *why);
      continue;
    }
    // One norm alone stays where it is: the op takes both or none.
    bool norms = query.norm && key.norm &&
                 query.norm.getNormAttr() == key.norm.getNormAttr();
    if (!norms) {
      for (gemma::RmsNormOp norm : {query.norm, key.norm})
        if (norm)
          remarks.missed(norm, "query and key are not normalised alike");
      query.norm = key.norm = {};
    }
    attention.getQueryMutable().assign(query.input());
    attention.getKeyMutable().assign(key.input());
    attention.getAnglesMutable().assign(query.rope.getAngles());
    if (norms) {
      attention.getQueryGainMutable().assign(query.norm.getGain());
      attention.getKeyGainMutable().assign(key.norm.getGain());
      attention.setNormAttr(query.norm.getNormAttr());
    }
    remarks.passed(attention, norms ? "rotates and normalises its heads"
                                    : "rotates its heads");
    for (Rotated &rotated : {std::ref(query), std::ref(key)}) {
      rotated.rope.erase();
      if (rotated.norm) rotated.norm.erase();
    }
  }
}
