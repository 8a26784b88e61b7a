// SPDX-License-Identifier: Apache-2.0
// See KernelPatterns.h. Each pattern is one call into a kernel's own file.
#include "targets/cpu/KernelPatterns.h"

#include <cassert>

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"
#include "targets/cpu/AttentionKernels.h"
#include "targets/cpu/EmbedKernel.h"
#include "targets/cpu/KvKernels.h"
#include "targets/cpu/MatmulKernels.h"
#include "targets/cpu/RowKernels.h"
#include "targets/cpu/StepEmission.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

template <typename Op,
          void (*lower)(Op, ValueRange, OpBuilder &, KernelLibrary &)>
struct TilePattern : KernelPattern<Op> {
  using KernelPattern<Op>::KernelPattern;
  LogicalResult matchAndRewrite(
      Op op, typename Op::Adaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    lower(op, adaptor.getOperands(), rewriter, this->library);
    rewriter.eraseOp(op);
    return success();
  }
};

// The context of the enclosing step function: its first argument.
Value contextOf(Operation *op) {
  return op->getParentOfType<func::FuncOp>().getArgument(0);
}

// A matmul tile has no step operand, but needs the thread's scratch.
struct MatmulPattern : KernelPattern<MatmulTileOp> {
  using KernelPattern::KernelPattern;
  LogicalResult matchAndRewrite(
      MatmulTileOp op, OpAdaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> operands{contextOf(op)};
    llvm::append_range(operands, adaptor.getOperands());
    lowerMatmulTile(op, operands, rewriter, library);
    rewriter.eraseOp(op);
    return success();
  }
};

// The callee takes the layer's index and its cache; its number is for reports.
struct CallLayerPattern : KernelPattern<CallLayerOp> {
  using KernelPattern::KernelPattern;
  LogicalResult matchAndRewrite(
      CallLayerOp op, OpAdaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> operands(adaptor.getInputs());
    operands.append({adaptor.getIndex(), adaptor.getCache()});
    rewriter.replaceOpWithNewOp<func::CallOp>(op, op.getCallee(), TypeRange(),
                                              operands);
    return success();
  }
};

// Ops that become one value.
struct FieldPatterns {
  static Value index(Emitter &e, Value value) {
    return arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), value);
  }
  static Value emit(RowCountOp op, RowCountOp::Adaptor a, Emitter &e) {
    return index(e, stepField(e, a.getStep(), e.i64(), abi::kCount));
  }
  static Value emit(WantedCountOp op, WantedCountOp::Adaptor a, Emitter &e) {
    return index(e, stepField(e, a.getStep(), e.i64(), abi::kWantedCount));
  }
  static Value emit(WantedRowOp op, WantedRowOp::Adaptor a, Emitter &e) {
    Value rows = stepField(e, a.getStep(), e.ptrType(), abi::kWanted);
    Value at = e.at(rows, e.shl(e.fromIndex(a.getIndex()), 2));
    return index(e, e.signExtend(e.i64(), e.load(e.i32(), at)));
  }
  static Value emit(ArenaOp op, ArenaOp::Adaptor a, Emitter &e) {
    Value arena = stepField(e, a.getStep(), e.ptrType(), abi::kArena);
    return e.at(arena, e.c64(op.getOffset()));
  }
  static Value emit(HiddenOp op, HiddenOp::Adaptor a, Emitter &e) {
    return stepField(e, a.getStep(), e.ptrType(), abi::kArena);
  }
  static Value emit(LogitsOp op, LogitsOp::Adaptor a, Emitter &e) {
    return stepField(e, a.getStep(), e.ptrType(), abi::kLogits);
  }
  static Value emit(MatmulTilesOp op, MatmulTilesOp::Adaptor a, Emitter &e) {
    int64_t tiles = matmulTiles(op.getWeightRows(), op.getRowBlocks());
    int64_t chunk = op.getChunkRows();
    Value rows = e.fromIndex(a.getRows());
    Value chunks = e.divC(e.add(rows, e.c64(chunk - 1)), chunk);
    return index(e, e.mul(chunks, e.c64(tiles)));
  }
  static Value emit(AttentionBlocksOp op, AttentionBlocksOp::Adaptor a,
                    Emitter &e) {
    return index(e, emitAttentionBlocks(e, a.getStep(), op.getWindow()));
  }
};

template <typename Op>
struct FieldPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(
      Op op, typename Op::Adaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    Emitter e(rewriter, op.getLoc());
    rewriter.replaceOp(op, FieldPatterns::emit(op, adaptor, e));
    return success();
  }
};

// A weight is the section's base plus its packed offset, a constant or an
// entry of the table.
struct ReferencePattern : KernelPattern<quantized::ReferenceOp> {
  using KernelPattern::KernelPattern;
  LogicalResult matchAndRewrite(
      quantized::ReferenceOp op, OpAdaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    Emitter e(rewriter, op.getLoc());
    Value base = stepField(e, contextOf(op), e.ptrType(), abi::kWeights);
    auto module = op->getParentOfType<ModuleOp>();
    auto offsetOf = [&](FlatSymbolRefAttr symbol) {
      auto weight = module.lookupSymbol<quantized::WeightOp>(symbol.getAttr());
      assert(weight.getPackedOffset() && "LowerKernel checks its input");
      return int64_t(*weight.getPackedOffset());
    };
    if (!op.getIndex()) {
      int64_t offset = offsetOf(op.getSymbolAttr());
      rewriter.replaceOp(op, e.at(base, e.c64(offset)));
      return success();
    }
    auto table = module.lookupSymbol<quantized::WeightTableOp>(op.getSymbol());
    SmallVector<int64_t> offsets;
    for (auto symbol : table.getWeights().getAsRange<FlatSymbolRefAttr>())
      offsets.push_back(offsetOf(symbol));
    auto type = RankedTensorType::get({int64_t(offsets.size())}, e.i64());
    Value entries = library.constants(
        e, ("offsets_" + op.getSymbol()).str(),
        DenseElementsAttr::get(type, ArrayRef<int64_t>(offsets)));
    Value at = e.at(entries, e.shl(e.fromIndex(adaptor.getIndex()), 3));
    rewriter.replaceOp(op, e.at(base, e.load(e.i64(), at)));
    return success();
  }
};

}  // namespace

void populateKernelPatterns(const TypeConverter &converter,
                            RewritePatternSet &patterns,
                            KernelLibrary &library) {
  MLIRContext *context = patterns.getContext();
  populatePhasePattern(converter, patterns, library);
  patterns.add<TilePattern<RmsNormRowOp, lowerRmsNormRow>,
               TilePattern<QuantizeRowOp, lowerQuantizeRow>,
               TilePattern<RopeRowOp, lowerRopeRow>,
               TilePattern<RopeAnglesRowOp, lowerRopeAnglesRow>,
               TilePattern<CopyRowOp, lowerCopyRow>,
               TilePattern<GegluRowOp, lowerGegluRow>,
               TilePattern<AddRowOp, lowerAddRow>,
               TilePattern<SoftcapRowOp, lowerSoftcapRow>,
               TilePattern<ArgMaxRowOp, lowerArgMaxRow>,
               TilePattern<EmbedRowOp, lowerEmbedRow>,
               TilePattern<KvStoreRowOp, lowerKvStoreRow>,
               TilePattern<AttentionTileOp, lowerAttentionTile>,
               TilePattern<AttentionBlockOp, lowerAttentionBlock>,
               TilePattern<AttentionFoldRowOp, lowerAttentionFoldRow>,
               MatmulPattern, CallLayerPattern, ReferencePattern>(
      converter, context, library);
  patterns.add<FieldPattern<RowCountOp>, FieldPattern<WantedCountOp>,
               FieldPattern<WantedRowOp>, FieldPattern<ArenaOp>,
               FieldPattern<HiddenOp>, FieldPattern<LogitsOp>,
               FieldPattern<MatmulTilesOp>, FieldPattern<AttentionBlocksOp>>(
      converter, context);
}

}  // namespace gemmac::targets
