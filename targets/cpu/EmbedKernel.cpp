// SPDX-License-Identifier: Apache-2.0
// See EmbedKernel.h. The embedding stands 16 rows in lanes as every weight
// does; one row of it is one lane.
#include "targets/cpu/EmbedKernel.h"

#include "targets/cpu/PackedEmission.h"
#include "targets/cpu/RowEmission.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;
using gemmac::quantized::CodeDescriptor;

namespace gemmac::targets {
namespace {

// The matrix, and what its rows are multiplied by.
struct Embedding {
  explicit Embedding(EmbedRowOp op)
      : format(*quantized::lookupFormat(op.getWeight().getType().getFormat())),
        columns(op.getWeight().getType().columns()),
        scale(op.getScale().convertToFloat()) {}
  std::string name() const {
    return "embed_" + format.name().str() + "_" + std::to_string(columns) +
           "_" + floatBits(scale);
  }
  const quantized::WeightFormat &format;
  int64_t columns;
  float scale;
};

// Where one row of it stands: a lane of a row block.
struct PackedRow {
  Value block, lane;
};

// out[] = row · scale, of codes.
void gatherCodes(Emitter &e, const Embedding &embedding, const PackedRow &row,
                 Value out) {
  const CodeDescriptor &d = *embedding.format.codes();
  auto pick = [&](Value vector) -> Value {
    return LLVM::ExtractElementOp::create(e.b, e.loc, vector, row.lane);
  };
  emitGroupLoop(
      e, d, row.block, embedding.columns, /*prefetch=*/0, {},
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
            e.store(e.mul(v, e.cf(embedding.scale)), e.at(y, 4 * (4 * j + i)));
          }
        }
        return {};
      });
}

// out[] = row · scale, of f32, f16 or bf16.
void gatherFloats(Emitter &e, const Embedding &embedding, const PackedRow &row,
                  Value out) {
  int64_t size = embedding.format.blockBytes();
  Value element = e.at(row.block, e.mul(row.lane, e.c64(size)));
  e.loop(e.c64(0), e.c64(embedding.columns), 1, [&](Value k) {
    Value from = e.at(element, e.mul(k, e.c64(kLanes * size)));
    Value v = size == 4 ? e.load(e.f32(), from)
              : embedding.format.name() == "f16"
                  ? e.widenF16(e.load(e.i16(), from))
                  : e.widenBf16(e.load(e.i16(), from));
    e.store(e.mul(v, e.cf(embedding.scale)), e.at(out, e.shl(k, 2)));
  });
}

void emitEmbed(Emitter &e, const Embedding &embedding, ValueRange arguments) {
  int64_t n = embedding.columns;
  Value row = rowPointer(e, arguments[0], arguments[3]);
  Value out = rowAt(e, arguments[2], arguments[3], n * 4);
  Value given = e.load(e.ptrType(), row, abi::kRowEmbedding);
  Value null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  Value has =
      LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, given, null);
  auto copy = [&] {
    e.lanes(n, [&](Value at, int64_t count) {
      e.storeLanes(e.loadLanes(e.at(given, at), count), e.at(out, at), count);
    });
  };
  e.when(has, copy, [&] {
    Value token = e.signExtend(e.i64(), e.load(e.i32(), row, abi::kRowToken));
    int64_t bytes = quantized::packedRowBlockBytes(embedding.format, n);
    Value block =
        e.at(arguments[1], e.mul(e.divC(token, kLanes), e.c64(bytes)));
    PackedRow packed{block, e.remC(token, kLanes)};
    if (embedding.format.codes()) return gatherCodes(e, embedding, packed, out);
    gatherFloats(e, embedding, packed, out);
  });
}

}  // namespace

void lowerEmbedRow(EmbedRowOp op, ValueRange operands, OpBuilder &builder,
                   KernelLibrary &library) {
  Embedding embedding(op);
  library.call(builder, op, embedding.name(), operands,
               [&](Emitter &e, ValueRange arguments) {
                 emitEmbed(e, embedding, arguments);
               });
}

}  // namespace gemmac::targets
