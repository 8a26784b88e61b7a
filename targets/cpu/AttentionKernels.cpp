// SPDX-License-Identifier: Apache-2.0
// See AttentionKernels.h.
#include "targets/cpu/AttentionKernels.h"

#include "targets/cpu/AttentionBlock.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {

// Blocks that a row of that span sees.
static Value blockCount(Emitter &e, const Span &span) {
  Value end = span.endBlock(e);
  return e.sub(end, span.firstBlock(e));
}

Value emitAttentionBlocks(Emitter &e, Value context, int64_t window) {
  Value count = stepField(e, context, e.i64(), abi::kCount);
  return e.loop(e.c64(0), count, 1, {e.c64(0)},
                [&](Value r, ValueRange most) -> SmallVector<Value> {
                  Span span = emitVisible(e, rowPointer(e, context, r), window);
                  return {e.maxI(most[0], blockCount(e, span))};
                })[0];
}

void lowerAttentionTile(AttentionTileOp op, ValueRange operands,
                        OpBuilder &builder, KernelLibrary &library) {
  Attention a(op);
  auto body = [&](Emitter &e, ValueRange args) {
    func::FuncOp block = blockKernel(library, a, e.loc);
    func::FuncOp fold = foldKernel(library, a.width, e.loc);
    Value index = e.divC(args[3], a.kvHeads);
    AttentionRow at;
    at.kvHead = e.remC(args[3], a.kvHeads);
    at.row = rowPointer(e, args[0], index);
    at.layer = args[4];
    at.span = emitVisible(e, at.row, a.window);
    int64_t groupBytes = a.group * a.width * 4;
    Value offset = e.add(e.mul(index, e.c64(a.heads * a.width * 4)),
                         e.mul(at.kvHead, e.c64(groupBytes)));
    at.query = e.at(args[1], offset);
    Value out = e.at(args[2], offset);
    at.scores = scratchPointer(e, args[0]);
    Value states = e.at(at.scores, kScoreBytes);
    Value partials = e.at(states, a.group * a.stateBytes());
    Value stride = e.c64(a.stateBytes());
    Value first = at.span.firstBlock(e);
    callBlock(e, a, block, at, first, {states, stride});
    Value second = e.add(first, e.c64(1));
    e.loop(second, at.span.endBlock(e), 1, [&](Value b) {
      callBlock(e, a, block, at, b, {partials, stride});
      for (int64_t g = 0; g < a.group; ++g)
        func::CallOp::create(e.b, e.loc, fold,
                             ValueRange{e.at(states, g * a.stateBytes()),
                                        e.at(partials, g * a.stateBytes())});
    });
    for (int64_t g = 0; g < a.group; ++g)
      emitDivide(e, a.width, e.at(states, g * a.stateBytes()),
                 e.at(out, g * a.width * 4));
  };
  library.call(builder, op, "attention_tile_" + a.name(), operands, body,
               kScoreBytes + 2 * a.group * a.stateBytes());
}

void lowerAttentionBlock(AttentionBlockOp op, ValueRange operands,
                         OpBuilder &builder, KernelLibrary &library) {
  Attention a(op);
  int64_t headBytes = int64_t(op.getMaxBlocks()) * a.stateBytes();
  auto body = [&](Emitter &e, ValueRange args) {
    func::FuncOp kernel = blockKernel(library, a, e.loc);
    Value blocks = args[4];
    Value pair = arith::DivUIOp::create(e.b, e.loc, args[3], blocks);
    Value b = arith::RemUIOp::create(e.b, e.loc, args[3], blocks);
    Value index = e.divC(pair, a.kvHeads);
    AttentionRow at;
    at.kvHead = e.remC(pair, a.kvHeads);
    at.row = rowPointer(e, args[0], index);
    at.layer = args[5];
    at.span = emitVisible(e, at.row, a.window);
    Value block = e.add(at.span.firstBlock(e), b);
    e.when(e.less(block, at.span.endBlock(e)), [&] {
      Value head = e.mul(at.kvHead, e.c64(a.group));
      Value first = e.add(e.mul(index, e.c64(a.heads)), head);
      at.query = e.at(args[1], e.mul(first, e.c64(a.width * 4)));
      Value states = e.at(args[2], e.add(e.mul(first, e.c64(headBytes)),
                                         e.mul(b, e.c64(a.stateBytes()))));
      at.scores = scratchPointer(e, args[0]);
      callBlock(e, a, kernel, at, block, {states, e.c64(headBytes)});
    });
  };
  library.call(
      builder, op,
      "attention_block_" + a.name() + "_" + std::to_string(op.getMaxBlocks()),
      operands, body, kScoreBytes);
}

void lowerAttentionFoldRow(AttentionFoldRowOp op, ValueRange operands,
                           OpBuilder &builder, KernelLibrary &library) {
  int64_t width = op.getHeadDim(), most = op.getMaxBlocks();
  int64_t heads = cast<MemRefType>(op.getOut().getType()).getDimSize(1) / width;
  int64_t stateBytes = attentionStateBytes(width);
  std::string name = "attention_fold_row_" + std::to_string(heads) + "x" +
                     std::to_string(width) + "_" + std::to_string(most) + "_w" +
                     std::to_string(op.getWindow());
  library.call(builder, op, name, operands, [&](Emitter &e, ValueRange args) {
    func::FuncOp fold = foldKernel(library, width, e.loc);
    Value row = rowPointer(e, args[0], args[3]);
    Value blocks = blockCount(e, emitVisible(e, row, op.getWindow()));
    e.loop(e.c64(0), e.c64(heads), 1, [&](Value h) {
      Value head = e.add(e.mul(args[3], e.c64(heads)), h);
      Value states = e.at(args[1], e.mul(head, e.c64(most * stateBytes)));
      e.loop(e.c64(1), blocks, 1, [&](Value b) {
        Value partial = e.at(states, e.mul(b, e.c64(stateBytes)));
        func::CallOp::create(e.b, e.loc, fold, ValueRange{states, partial});
      });
      emitDivide(e, width, states,
                 e.at(args[2], e.mul(head, e.c64(width * 4))));
    });
  });
}

}  // namespace gemmac::targets
