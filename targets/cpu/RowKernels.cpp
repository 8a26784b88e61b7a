// SPDX-License-Identifier: Apache-2.0
// See RowKernels.h.
#include "targets/cpu/RowKernels.h"

#include <cmath>

#include "targets/cpu/RowEmission.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

int64_t columns(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getDimSize(1);
}

using Map = function_ref<Value(Emitter &, ArrayRef<Value>)>;
// out[row] = map(in0[row], in1[row], …), elementwise; operands: the buffers,
// out last, then the row.
void lowerMap(Operation *op, StringRef name, ValueRange operands,
              OpBuilder &builder, KernelLibrary &library, int64_t n, Map map) {
  library.call(
      builder, op, (name + "_" + Twine(n)).str(), operands,
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

}  // namespace

void lowerRmsNormRow(RmsNormRowOp op, ValueRange operands, OpBuilder &builder,
                     KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  Norm norm{op.getGain().getType().columns(), op.getNorm().epsValue(),
            op.getNorm().gainOffsetValue()};
  std::string name = "rms_norm_" + std::to_string(n) + norm.name() +
                     (op.getResidual() ? "_residual" : "");
  library.call(
      builder, op, name, operands, [&](Emitter &e, ValueRange arguments) {
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

void lowerQuantizeRow(QuantizeRowOp op, ValueRange operands, OpBuilder &builder,
                      KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  std::optional<Norm> norm = Norm::of(op);
  library.call(
      builder, op, "quantize_" + std::to_string(n) + (norm ? norm->name() : ""),
      operands, [&](Emitter &e, ValueRange arguments) {
        Value in = rowAt(e, arguments[0], arguments[2], n * 4);
        Value out = rowAt(e, arguments[1], arguments[2],
                          quantized::ActivationLayout(n).rowBytes());
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

void lowerRopeRow(RopeRowOp op, ValueRange operands, OpBuilder &builder,
                  KernelLibrary &library) {
  int64_t n = columns(op.getIn()), width = columns(op.getAngles());
  std::optional<Norm> norm = Norm::of(op);
  std::string name = "rope_" + std::to_string(n) + "_" + std::to_string(width) +
                     (norm ? norm->name() : "");
  library.call(
      builder, op, name, operands, [&](Emitter &e, ValueRange arguments) {
        Value in = rowAt(e, arguments[0], arguments[3], n * 4);
        Value angles = rowAt(e, arguments[1], arguments[3], width * 4);
        Value out = rowAt(e, arguments[2], arguments[3], n * 4);
        e.loop(e.c64(0), e.c64(n * 4), width * 4, [&](Value head) {
          emitRotatedHead(e, width, e.at(in, head), angles, e.at(out, head),
                          norm, norm ? arguments[4] : Value());
        });
      });
}

// inv_freq in double, rounded once: f32 pow differs in its last bit between
// libraries, which is 1e-3 in the cosine at position 32K.
void lowerRopeAnglesRow(RopeAnglesRowOp op, ValueRange operands,
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
      builder, op, "rope_angles_" + suffix, operands,
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

void lowerCopyRow(CopyRowOp op, ValueRange operands, OpBuilder &builder,
                  KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  library.call(builder, op, "copy_" + std::to_string(n), operands,
               [&](Emitter &e, ValueRange arguments) {
                 Value in = rowAt(e, arguments[0], arguments[1], n * 4);
                 Value out = rowAt(e, arguments[2], arguments[3], n * 4);
                 e.lanes(n, [&](Value at, int64_t count) {
                   e.storeLanes(e.loadLanes(e.at(in, at), count), e.at(out, at),
                                count);
                 });
               });
}

void lowerArgMaxRow(ArgMaxRowOp op, ValueRange operands, OpBuilder &builder,
                    KernelLibrary &library) {
  int64_t n = columns(op.getIn());
  library.call(builder, op, "arg_max_" + std::to_string(n), operands,
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

void lowerGegluRow(GegluRowOp op, ValueRange operands, OpBuilder &builder,
                   KernelLibrary &library) {
  lowerMap(op, "geglu", operands, builder, library, columns(op.getOut()),
           [](Emitter &e, ArrayRef<Value> in) {
             return emitGeglu(e, in[0], in[1]);
           });
}

void lowerAddRow(AddRowOp op, ValueRange operands, OpBuilder &builder,
                 KernelLibrary &library) {
  lowerMap(op, "add", operands, builder, library, columns(op.getOut()),
           [](Emitter &e, ArrayRef<Value> in) { return e.add(in[0], in[1]); });
}

void lowerSoftcapRow(SoftcapRowOp op, ValueRange operands, OpBuilder &builder,
                     KernelLibrary &library) {
  float cap = op.getCap().convertToFloat();
  lowerMap(op, "softcap_" + floatBits(cap), operands, builder, library,
           columns(op.getOut()), [&](Emitter &e, ArrayRef<Value> in) {
             return emitSoftcap(e, in[0], cap);
           });
}

}  // namespace gemmac::targets
