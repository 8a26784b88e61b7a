// SPDX-License-Identifier: Apache-2.0
// Row operations of LowerToKernel: embedding, norms, RoPE, elementwise,
// quantisation; and what all families share.
#include "compiler/lowering/FunctionLowering.h"
#include "dialects/quantized/ActivationLayout.h"

using namespace mlir;

namespace gemmac::lowering {

MemRefType bufferType(Type type) {
  if (auto codes = dyn_cast<quantized::ActivationsType>(type))
    return MemRefType::get(
        {ShapedType::kDynamic,
         quantized::ActivationLayout(codes.getColumns(), codes.getScheme())
             .rowBytes()},
        IntegerType::get(type.getContext(), 8));
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

Value FunctionLowering::result(Value value) {
  Value &buffer = values[value];
  if (!buffer)
    buffer = kernel::AllocOp::create(b, value.getLoc(),
                                     bufferType(value.getType()), step);
  return buffer;
}

void FunctionLowering::phase(Location loc, ValueRange counts,
                             SegmentBody body) {
  auto op = kernel::PhaseOp::create(b, loc, step, counts, counts.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [i, segment] : llvm::enumerate(op.getSegments())) {
    Block *block = b.createBlock(&segment, {}, {b.getIndexType()}, {loc});
    body(b, i, block->getArgument(0));
    kernel::EndOp::create(b, loc);
  }
}

void FunctionLowering::phase(Location loc, Value count, Body body) {
  phase(loc, ValueRange{count},
        [&](OpBuilder &b, size_t, Value tile) { body(b, tile); });
}

bool FunctionLowering::lowerRows(Operation *op) {
  Location loc = op->getLoc();
  auto row = [&](Body body) { phase(loc, rows, body); };
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](gemma::EmbedOp embed) {
        Value weight = lookup(embed.getWeight()), out = result(embed);
        row([&](OpBuilder &b, Value t) {
          kernel::EmbedRowOp::create(b, loc, step, weight, out, t,
                                     embed.getScaleAttr());
        });
        return true;
      })
      .Case([&](gemma::RopeAnglesOp angles) {
        Value out = result(angles);
        row([&](OpBuilder &b, Value t) {
          kernel::RopeAnglesRowOp::create(b, loc, step, out, t,
                                          angles.getThetaAttr(),
                                          angles.getFactorAttr());
        });
        return true;
      })
      .Case([&](gemma::RmsNormOp norm) {
        Value in = lookup(norm.getInput()), gain = lookup(norm.getGain());
        Value out = result(norm);
        Value residual =
            norm.getResidual() ? lookup(norm.getResidual()) : Value();
        row([&](OpBuilder &b, Value t) {
          kernel::RmsNormRowOp::create(b, loc, in, gain, out, t,
                                       norm.getNormAttr(), residual);
        });
        return true;
      })
      .Case([&](gemma::RopeOp rope) {
        Value in = lookup(rope.getInput()), angles = lookup(rope.getAngles());
        Value out = result(rope);
        row([&](OpBuilder &b, Value t) {
          kernel::RopeRowOp::create(b, loc, in, angles, out, t, Value(),
                                    quantized::NormAttr());
        });
        return true;
      })
      .Case([&](quantized::QuantizeActivationOp quantize) {
        Value in = lookup(quantize.getInput()), out = result(quantize);
        Value gain = quantize.getGain() ? lookup(quantize.getGain()) : Value();
        row([&](OpBuilder &b, Value t) {
          kernel::QuantizeRowOp::create(b, loc, in, out, t, gain,
                                        quantize.getNormAttr());
        });
        return true;
      })
      .Default([&](Operation *) { return lowerElements(op); });
}

bool FunctionLowering::lowerElements(Operation *op) {
  Location loc = op->getLoc();
  auto row = [&](Body body) { phase(loc, rows, body); };
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](gemma::GegluOp geglu) {
        Value gate = lookup(geglu.getGate()), up = lookup(geglu.getUp());
        Value out = result(geglu);
        row([&](OpBuilder &b, Value t) {
          kernel::GegluRowOp::create(b, loc, gate, up, out, t);
        });
        return true;
      })
      .Case([&](gemma::AddOp add) {
        Value lhs = lookup(add.getLhs()), rhs = lookup(add.getRhs());
        Value out = result(add);
        row([&](OpBuilder &b, Value t) {
          kernel::AddRowOp::create(b, loc, lhs, rhs, out, t);
        });
        return true;
      })
      .Case([&](gemma::SoftcapOp cap) {
        if (!isa<RankedTensorType>(cap.getType()) ||
            cast<RankedTensorType>(cap.getType()).getRank() != 2)
          return false;
        Value in = lookup(cap.getInput()), out = result(cap);
        row([&](OpBuilder &b, Value t) {
          kernel::SoftcapRowOp::create(b, loc, in, out, t, cap.getCapAttr());
        });
        return true;
      })
      .Default([](Operation *) { return false; });
}

}  // namespace gemmac::lowering
