// SPDX-License-Identifier: Apache-2.0
// Row operations: embedding, norm, quantisation, RoPE, elementwise. One tile is
// one row; sums follow docs/numerics.md (16 lanes, one tree).
#include <cmath>

#include "targets/cpu/KernelLibrary.h"
#include "targets/cpu/PackedEmission.h"
#include "targets/cpu/RowEmission.h"

using namespace mlir;
using namespace gemmac::kernel;
using gemmac::quantized::CodeDescriptor;

namespace gemmac::targets {
namespace {

int64_t columns(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getDimSize(1);
}
Value rowAt(Emitter &e, Value buffer, Value row, int64_t bytes) {
  return e.at(buffer, e.mul(row, e.c64(bytes)));
}
std::string bits(float value) {
  return std::to_string(llvm::bit_cast<uint32_t>(value));
}

using Map = function_ref<Value(Emitter &, ArrayRef<Value>)>;
// out[row] = map(in0[row], in1[row], …), elementwise; operands: the buffers,
// out last, then the row.
void lowerMap(Operation *op, StringRef name, ValueRange operands,
              OpBuilder &builder, KernelLibrary &library, int64_t n, Map map) {
  library.call(
      builder, op->getLoc(), (name + "_" + Twine(n)).str(), operands,
      [&](Emitter &e, ValueRange arguments) {
        Value row = arguments.back();
        SmallVector<Value> pointers;
        for (Value buffer : arguments.drop_back())
          pointers.push_back(rowAt(e, buffer, row, n * 4));
        e.lanes(n, [&](Value offset, int64_t count) {
          SmallVector<Value> values;
          for (Value pointer : ArrayRef(pointers).drop_back())
            values.push_back(e.loadLanes(e.at(pointer, offset), count));
          e.storeLanes(map(e, values), e.at(pointers.back(), offset), count);
        });
      });
}

// Operands: in, gain, out, row, [residual].
void lowerRmsNorm(RmsNormRowOp op, ValueRange operands, OpBuilder &builder,
                  KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  Norm norm{op.getGain().getType().columns(), op.getNorm().epsValue(),
            op.getNorm().gainOffsetValue()};
  std::string name = "rms_norm_" + std::to_string(n) + norm.name() +
                     (op.getResidual() ? "_residual" : "");
  library.call(
      builder, op.getLoc(), name, operands,
      [&](Emitter &e, ValueRange arguments) {
        Value row = arguments[3];
        Value in = rowAt(e, arguments[0], row, n * 4);
        Value gain = arguments[1];
        Value out = rowAt(e, arguments[2], row, n * 4);
        Value residual;
        if (op.getResidual()) residual = rowAt(e, arguments[4], row, n * 4);
        e.loop(e.c64(0), e.c64(n * 4), norm.columns * 4, [&](Value start) {
          Value x = e.at(in, start), y = e.at(out, start);
          Value factor = emitNormFactor(e, norm, x);
          e.lanes(norm.columns, [&](Value at, int64_t count) {
            Value v = emitNormalised(e, norm, e.loadLanes(e.at(x, at), count),
                                     factor, gain, at, count);
            if (residual)
              v = e.add(e.loadLanes(e.at(e.at(residual, start), at), count), v);
            e.storeLanes(v, e.at(y, at), count);
          });
        });
      });
}

// Operands: in, out, row, [gain].
void lowerQuantize(QuantizeRowOp op, ValueRange operands, OpBuilder &builder,
                   KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  std::optional<Norm> norm = Norm::of(op);
  library.call(
      builder, op.getLoc(),
      "quantize_" + std::to_string(n) + (norm ? norm->name() : ""), operands,
      [&](Emitter &e, ValueRange arguments) {
        Value in = rowAt(e, arguments[0], arguments[2], n * 4);
        Value out = rowAt(e, arguments[1], arguments[2], activationRowBytes(n));
        Value factor = norm ? emitNormFactor(e, *norm, in) : Value();
        e.loop(e.c64(0), e.c64(n / 32), 1, [&](Value g) {
          Value halves[2];
          for (int64_t half = 0; half < 2; ++half) {
            Value at = e.add(e.shl(g, 7), e.c64(64 * half));
            halves[half] = e.load(e.vec(e.f32()), e.at(in, at));
            if (norm)
              halves[half] = emitNormalised(e, *norm, halves[half], factor,
                                            arguments[3], at, kLanes);
          }
          emitQuantizedGroup(e, halves[0], halves[1], n, out, g);
        });
      });
}

// Operands: in, angles, out, row, [gain].
void lowerRope(RopeRowOp op, ValueRange operands, OpBuilder &builder,
               KernelLibrary &library) {
  int64_t n = columns(op.getIn()), width = columns(op.getAngles());
  std::optional<Norm> norm = Norm::of(op);
  std::string name = "rope_" + std::to_string(n) + "_" + std::to_string(width) +
                     (norm ? norm->name() : "");
  library.call(builder, op.getLoc(), name, operands,
               [&](Emitter &e, ValueRange arguments) {
                 Value in = rowAt(e, arguments[0], arguments[3], n * 4);
                 Value angles = rowAt(e, arguments[1], arguments[3], width * 4);
                 Value out = rowAt(e, arguments[2], arguments[3], n * 4);
                 e.loop(e.c64(0), e.c64(n * 4), width * 4, [&](Value head) {
                   emitRotatedHead(e, width, e.at(in, head), angles,
                                   e.at(out, head), norm,
                                   norm ? arguments[4] : Value());
                 });
               });
}

// inv_freq in double, rounded once: f32 pow differs in its last bit between
// libraries, which is 1e-3 in the cosine at position 32K.
void lowerRopeAngles(RopeAnglesRowOp op, ValueRange operands,
                     OpBuilder &builder, KernelLibrary &library) {
  int64_t width = columns(op.getOut());
  double theta = op.getTheta().convertToDouble();
  double factor = op.getFactor().convertToDouble();
  SmallVector<float> frequencies((width / 2 + kLanes - 1) / kLanes * kLanes);
  for (int64_t i = 0; i < width / 2; ++i)
    frequencies[i] =
        float(std::pow(theta, -2.0 * double(i) / double(width)) / factor);
  std::string suffix = std::to_string(width) + "_" +
                       std::to_string(llvm::bit_cast<uint64_t>(theta)) + "_" +
                       std::to_string(llvm::bit_cast<uint64_t>(factor));
  library.call(
      builder, op.getLoc(), "rope_angles_" + suffix, operands,
      [&](Emitter &e, ValueRange arguments) {
        auto type =
            RankedTensorType::get({int64_t(frequencies.size())}, e.f32());
        Value table = library.constants(
            e, "inv_freq_" + suffix,
            DenseElementsAttr::get(type, ArrayRef<float>(frequencies)));
        Value row = rowPointer(e, arguments[0], arguments[2]);
        Value position =
            e.splat(e.toF32(e.load(e.i32(), row, abi::kRowPosition)));
        Value out = rowAt(e, arguments[1], arguments[2], width * 4);
        e.lanes(width / 2, [&](Value at, int64_t count) {
          Value frequency = e.load(e.vec(e.f32()), e.at(table, at));
          Value sine, cosine;
          e.sinCos(e.mul(position, frequency), sine, cosine);
          e.storeLanes(cosine, e.at(out, at), count);
          e.storeLanes(sine, e.at(e.at(out, width * 2), at), count);
        });
      });
}

void lowerCopy(CopyRowOp op, ValueRange operands, OpBuilder &builder,
               KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  library.call(builder, op.getLoc(), "copy_" + std::to_string(n), operands,
               [&](Emitter &e, ValueRange arguments) {
                 Value in = rowAt(e, arguments[0], arguments[1], n * 4);
                 Value out = rowAt(e, arguments[2], arguments[3], n * 4);
                 e.lanes(n, [&](Value at, int64_t count) {
                   e.storeLanes(e.loadLanes(e.at(in, at), count), e.at(out, at),
                                count);
                 });
               });
}

// Operands: in, out, row.
void lowerArgMax(ArgMaxRowOp op, ValueRange operands, OpBuilder &builder,
                 KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  library.call(builder, op.getLoc(), "arg_max_" + std::to_string(n), operands,
               [&](Emitter &e, ValueRange arguments) {
                 Value in = rowAt(e, arguments[0], arguments[2], n * 4);
                 Value out = rowAt(e, arguments[1], arguments[2], 8);
                 Candidate none = noCandidate(e);
                 ValueRange best = e.loop(
                     e.c64(0), e.c64(n * 4), 8, {none.number, none.column},
                     [&](Value at, ValueRange carried) -> SmallVector<Value> {
                       Value pair = e.at(in, at);
                       Candidate larger = emitLarger(
                           e, {carried[0], carried[1]},
                           {e.load(e.f32(), pair), e.load(e.f32(), pair, 4)});
                       return {larger.number, larger.column};
                     });
                 Value found =
                     e.compare(arith::CmpFPredicate::OLT, best[1], none.column);
                 e.store(best[0], out);
                 e.store(e.select(found, best[1], e.cf(0)), e.at(out, 4));
               });
}

// One row of a packed matrix: lane `lane` of row block `block`, · scale.
void gatherCodes(Emitter &e, const CodeDescriptor &d, Value block, Value lane,
                 int64_t n, float scale, Value out) {
  auto pick = [&](Value vector) -> Value {
    return LLVM::ExtractElementOp::create(e.b, e.loc, vector, lane);
  };
  emitGroupLoop(
      e, d, block, n, /*prefetch=*/0, {},
      [&](Value superBlock, Value group, int parity, Value column,
          ValueRange) -> SmallVector<Value> {
        PackedGroup packed = emitPackedGroup(e, d, superBlock, group, parity);
        Value y = e.at(out, e.shl(column, 2));
        Value minimum = packed.minimum ? pick(packed.minimum()) : Value();
        Value scales[2];
        for (int64_t part = 0; part < (d.group == 16 ? 2 : 1); ++part)
          scales[part] = pick(packed.scale(part));
        for (int64_t j = 0; j < 8; ++j) {
          Value word = pick(e.bitcast(e.vec(e.i32()), packed.codes(j)));
          Value w = scales[d.group == 16 ? j / 4 : 0];
          for (int64_t i = 0; i < 4; ++i) {
            Value q = e.andI(e.shr(word, 8 * i), e.c32(255));
            Value v = e.mul(w, e.toF32(e.sub(q, e.c32(d.zeroPoint))));
            if (minimum) v = e.sub(v, minimum);
            e.store(e.mul(v, e.cf(scale)), e.at(y, 4 * (4 * j + i)));
          }
        }
        return {};
      });
}

}  // namespace

// Operands: context, weight, out, row.
void lowerEmbedRow(EmbedRowOp op, ValueRange operands, OpBuilder &builder,
                   KernelLibrary &library) {
  auto weight = op.getWeight().getType();
  const auto &format = *quantized::lookupFormat(weight.getFormat());
  int64_t n = weight.columns();
  float scale = op.getScale().convertToFloat();
  std::string name = "embed_" + weight.getFormat().str() + "_" +
                     std::to_string(n) + "_" + bits(scale);
  library.call(
      builder, op.getLoc(), name, operands,
      [&](Emitter &e, ValueRange arguments) {
        Value row = rowPointer(e, arguments[0], arguments[3]);
        Value out = rowAt(e, arguments[2], arguments[3], n * 4);
        Value given = e.load(e.ptrType(), row, abi::kRowEmbedding);
        Value null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
        Value has = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne,
                                         given, null);
        auto copy = [&] {
          e.lanes(n, [&](Value at, int64_t count) {
            e.storeLanes(e.loadLanes(e.at(given, at), count), e.at(out, at),
                         count);
          });
        };
        e.when(has, copy, [&] {
          Value token =
              e.signExtend(e.i64(), e.load(e.i32(), row, abi::kRowToken));
          int64_t bytes = quantized::packedRowBlockBytes(format, n);
          Value block =
              e.at(arguments[1], e.mul(e.divC(token, kLanes), e.c64(bytes)));
          Value lane = e.remC(token, kLanes);
          if (const CodeDescriptor *d = format.codes())
            return gatherCodes(e, *d, block, lane, n, scale, out);
          int64_t size = format.blockBytes();
          Value element = e.at(block, e.mul(lane, e.c64(size)));
          e.loop(e.c64(0), e.c64(n), 1, [&](Value k) {
            Value from = e.at(element, e.mul(k, e.c64(kLanes * size)));
            Value v = size == 4 ? e.load(e.f32(), from)
                      : format.name() == "f16"
                          ? e.widenF16(e.load(e.i16(), from))
                          : e.widenBf16(e.load(e.i16(), from));
            e.store(e.mul(v, e.cf(scale)), e.at(out, e.shl(k, 2)));
          });
        });
      });
}

void lowerRowOp(Operation *op, ValueRange operands, OpBuilder &builder,
                KernelLibrary &library) {
  TypeSwitch<Operation *>(op)
      .Case([&](RmsNormRowOp norm) {
        lowerRmsNorm(norm, operands, builder, library);
      })
      .Case([&](QuantizeRowOp quantize) {
        lowerQuantize(quantize, operands, builder, library);
      })
      .Case(
          [&](RopeRowOp rope) { lowerRope(rope, operands, builder, library); })
      .Case([&](RopeAnglesRowOp angles) {
        lowerRopeAngles(angles, operands, builder, library);
      })
      .Case(
          [&](CopyRowOp copy) { lowerCopy(copy, operands, builder, library); })
      .Case([&](ArgMaxRowOp largest) {
        lowerArgMax(largest, operands, builder, library);
      })
      .Case([&](GegluRowOp map) {
        lowerMap(op, "geglu", operands, builder, library, columns(map.getOut()),
                 [](Emitter &e, ArrayRef<Value> in) {
                   return emitGeglu(e, in[0], in[1]);
                 });
      })
      .Case([&](AddRowOp map) {
        lowerMap(
            op, "add", operands, builder, library, columns(map.getOut()),
            [](Emitter &e, ArrayRef<Value> in) { return e.add(in[0], in[1]); });
      })
      .Case([&](SoftcapRowOp map) {
        float cap = map.getCap().convertToFloat();
        lowerMap(op, "softcap_" + bits(cap), operands, builder, library,
                 columns(map.getOut()), [&](Emitter &e, ArrayRef<Value> in) {
                   return emitSoftcap(e, in[0], cap);
                 });
      });
}

}  // namespace gemmac::targets
