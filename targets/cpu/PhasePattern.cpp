// SPDX-License-Identifier: Apache-2.0
// kernel.phase -> a loop over the tiles that gemma_next_tile deals to this
// thread, which finds a tile's segment by its number; then gemma_phase_end. IR
// before:
//   kernel.phase %step tiles(%a, %b) { ^bb0(%t: index): A }, { ^bb0(%t): B }
// after:
//   while ((t = gemma_next_tile(step, thread, a + b)) < a + b)
//     if (t < a) { A(t) } else { B(t - a) }
//   gemma_phase_end(step, thread)
#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelPatterns.h"
#include "targets/cpu/MatmulKernels.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

struct PhasePattern : KernelPattern<PhaseOp> {
  using KernelPattern::KernelPattern;
  LogicalResult matchAndRewrite(
      PhaseOp op, OpAdaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    Emitter e(rewriter, op.getLoc());
    Value step = e.load(e.ptrType(), adaptor.getStep(), abi::kContextStep);
    Value thread = e.load(e.i32(), adaptor.getStep(), abi::kContextThread);
    SmallVector<Value> counts;
    Value total = e.c64(0);
    for (Value tiles : adaptor.getTiles()) {
      counts.push_back(e.fromIndex(tiles));
      total = e.add(total, counts.back());
    }
    bool engine = op.walk([&](MatmulTileOp tile) {
                      return usesEngine(tile, library.cpu)
                                 ? WalkResult::interrupt()
                                 : WalkResult::advance();
                    }).wasInterrupted();
    if (engine) library.cpu.startEngine(e, library);
    auto loop = scf::WhileOp::create(rewriter, op.getLoc(), TypeRange{e.i64()},
                                     ValueRange());
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.createBlock(&loop.getBefore());
      Value tile = func::CallOp::create(rewriter, op.getLoc(),
                                        "gemma_next_tile", TypeRange{e.i64()},
                                        ValueRange{step, thread, total})
                       .getResult(0);
      scf::ConditionOp::create(rewriter, op.getLoc(), e.less(tile, total),
                               tile);
      Block *body =
          rewriter.createBlock(&loop.getAfter(), {}, {e.i64()}, {op.getLoc()});
      scf::YieldOp::create(rewriter, op.getLoc());
      rewriter.setInsertionPointToStart(body);
      dispatch(op, counts, body->getArgument(0), rewriter);
    }
    if (engine) library.cpu.stopEngine(e);
    func::CallOp::create(rewriter, op.getLoc(), "gemma_phase_end", TypeRange(),
                         ValueRange{step, thread});
    rewriter.eraseOp(op);
    return success();
  }

 private:
  // if tile < n0 { segment 0 } else if tile − n0 < n1 { segment 1 } …
  void dispatch(PhaseOp op, ArrayRef<Value> counts, Value tile,
                ConversionPatternRewriter &rewriter) const {
    Emitter e(rewriter, op.getLoc());
    for (auto [s, segment] : llvm::enumerate(op.getSegments())) {
      Block *block = &segment.front();
      rewriter.eraseOp(block->getTerminator());
      Block *into = rewriter.getInsertionBlock();
      Block::iterator at = rewriter.getInsertionPoint();
      if (s + 1 < counts.size()) {
        auto choose = scf::IfOp::create(rewriter, op.getLoc(),
                                        e.less(tile, counts[s]), true);
        into = choose.thenBlock();
        at = into->without_terminator().end();
        rewriter.setInsertionPoint(into, at);
        Value index = toIndex(e, tile);
        rewriter.inlineBlockBefore(block, into,
                                   into->without_terminator().end(), {index});
        rewriter.setInsertionPointToStart(choose.elseBlock());
        tile = e.sub(tile, counts[s]);
      } else {
        Value index = toIndex(e, tile);
        rewriter.inlineBlockBefore(block, into, rewriter.getInsertionPoint(),
                                   {index});
      }
    }
  }
  static Value toIndex(Emitter &e, Value tile) {
    return arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), tile);
  }
};

}  // namespace

void populatePhasePattern(const TypeConverter &converter,
                          RewritePatternSet &patterns, KernelLibrary &library) {
  patterns.add<PhasePattern>(converter, patterns.getContext(), library);
}

}  // namespace gemmac::targets
