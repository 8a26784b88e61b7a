// SPDX-License-Identifier: Apache-2.0
// LowerKernel: see LowerKernel.h.
#include "targets/cpu/LowerKernel.h"

#include "dialects/quantized/Quantized.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace gemmac::kernel;

namespace gemmac::targets {
namespace {

// Buffers, weights and the step become pointers; shapes live in the ops.
class PointerConverter : public TypeConverter {
 public:
  explicit PointerConverter(MLIRContext *context) {
    Type pointer = LLVM::LLVMPointerType::get(context);
    addConversion([](Type type) { return type; });
    addConversion([=](MemRefType) { return pointer; });
    addConversion([=](StepType) { return pointer; });
    addConversion([=](quantized::TensorType) { return pointer; });
  }
};

// Base of all patterns: they share the kernel library.
template <typename Op>
struct KernelPattern : OpConversionPattern<Op> {
  KernelPattern(const TypeConverter &converter, MLIRContext *context,
                KernelLibrary &library)
      : OpConversionPattern<Op>(converter, context), library(library) {}
  KernelLibrary &library;
};

template <typename Op>
struct RowPattern : KernelPattern<Op> {
  using KernelPattern<Op>::KernelPattern;
  LogicalResult matchAndRewrite(
      Op op, typename Op::Adaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    lowerRowOp(op, adaptor.getOperands(), rewriter, this->library);
    rewriter.eraseOp(op);
    return success();
  }
};

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

struct PhasePattern : KernelPattern<PhaseOp> {
  using KernelPattern::KernelPattern;
  LogicalResult matchAndRewrite(
      PhaseOp op, OpAdaptor adaptor,
      ConversionPatternRewriter &rewriter) const override {
    Emitter e(rewriter, op.getLoc());
    Value step = e.load(e.ptrType(), adaptor.getStep(), kContextStep);
    Value thread = e.load(e.i32(), adaptor.getStep(), kContextThread);
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
    auto offsetOf = [&](FlatSymbolRefAttr symbol) -> std::optional<int64_t> {
      auto weight = module.lookupSymbol<quantized::WeightOp>(symbol.getAttr());
      return weight.getPackedOffset();
    };
    if (!op.getIndex()) {
      auto offset = offsetOf(op.getSymbolAttr());
      if (!offset) return op.emitError("weight without packed_offset");
      rewriter.replaceOp(op, e.at(base, e.c64(*offset)));
      return success();
    }
    auto table = module.lookupSymbol<quantized::WeightTableOp>(op.getSymbol());
    SmallVector<int64_t> offsets;
    for (auto symbol : table.getWeights().getAsRange<FlatSymbolRefAttr>()) {
      auto offset = offsetOf(symbol);
      if (!offset) return op.emitError("weight without packed_offset");
      offsets.push_back(*offset);
    }
    auto type = RankedTensorType::get({int64_t(offsets.size())}, e.i64());
    Value entries = library.constants(
        e, ("offsets_" + op.getSymbol()).str(),
        DenseElementsAttr::get(type, ArrayRef<int64_t>(offsets)));
    Value at = e.at(entries, e.shl(e.fromIndex(adaptor.getIndex()), 3));
    rewriter.replaceOp(op, e.at(base, e.load(e.i64(), at)));
    return success();
  }
};

class LowerKernel : public PassWrapper<LowerKernel, OperationPass<ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerKernel)
  LowerKernel(const CpuKernels &cpu, CodeIdentity identity)
      : cpu(cpu), identity(std::move(identity)) {}
  StringRef getArgument() const final { return "gemmac-lower-kernel"; }
  StringRef getDescription() const final {
    return "kernel dialect to loops, vectors and the exported model";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, func::FuncDialect, scf::SCFDialect,
                    vector::VectorDialect, LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    ModelOp model = findModel(module);
    if (!model) return signalPassFailure();
    emitKvLayers(module, model);
    declareRuntime(module);
    KernelLibrary library(module, cpu);
    DotPeak peak;
    if (hasCodes(module)) peak = emitDotPeak(module, library);
    if (failed(convert(module, library))) return signalPassFailure();
    emitModelCode(module, model, library.scratchBytes(), peak, identity);
    model.erase();
    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (isa<quantized::WeightOp, quantized::WeightTableOp>(op)) op.erase();
    auto internal =
        LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal);
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isDeclaration()) {
        function->setAttr("llvm.linkage", internal);
        for (StringRef name : {"kernel.max_rows", "gemma.layer_kind"})
          function->removeAttr(name);
      }
  }

 private:
  static bool hasCodes(ModuleOp module) {
    return module
        .walk([](MatmulTileOp tile) {
          StringRef format = tile.getWeight().getType().getFormat();
          return quantized::lookupFormat(format)->isFloat()
                     ? WalkResult::advance()
                     : WalkResult::interrupt();
        })
        .wasInterrupted();
  }

  DotPeak emitDotPeak(ModuleOp module, KernelLibrary &library) {
    DotPeak peak;
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = IntegerType::get(&getContext(), 64);
    func::FuncOp kernel = library.get(
        "dot_peak", {i64, pointer}, module.getLoc(),
        [&](Emitter &e, ValueRange arguments) {
          peak.operations = cpu.dotPeak(e, library, arguments[0], arguments[1]);
        });
    if (peak.operations)
      peak.kernel = kernel;
    else
      kernel.erase();
    return peak;
  }

  void declareRuntime(ModuleOp module) {
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i32 = b.getI32Type(), i64 = b.getI64Type();
    auto declare = [&](StringRef name, TypeRange in, TypeRange out) {
      func::FuncOp::create(b, module.getLoc(), name, b.getFunctionType(in, out))
          .setPrivate();
    };
    declare("gemma_next_tile", {pointer, i32, i64}, {i64});
    declare("gemma_phase_end", {pointer, i32}, {});
  }

  LogicalResult convert(ModuleOp module, KernelLibrary &library) {
    MLIRContext *context = &getContext();
    PointerConverter converter(context);
    RewritePatternSet patterns(context);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    patterns.add<RowPattern<RmsNormRowOp>, RowPattern<QuantizeRowOp>,
                 RowPattern<RopeRowOp>, RowPattern<RopeAnglesRowOp>,
                 RowPattern<CopyRowOp>, RowPattern<GegluRowOp>,
                 RowPattern<AddRowOp>, RowPattern<SoftcapRowOp>,
                 RowPattern<ArgMaxRowOp>, PhasePattern, CallLayerPattern,
                 MatmulPattern, ReferencePattern,
                 TilePattern<EmbedRowOp, lowerEmbedRow>,
                 TilePattern<KvStoreRowOp, lowerKvStoreRow>,
                 TilePattern<AttentionTileOp, lowerAttentionTile>,
                 TilePattern<AttentionBlockOp, lowerAttentionBlock>,
                 TilePattern<AttentionFoldRowOp, lowerAttentionFoldRow>>(
        converter, context, library);
    patterns.add<FieldPattern<RowCountOp>, FieldPattern<WantedCountOp>,
                 FieldPattern<WantedRowOp>, FieldPattern<ArenaOp>,
                 FieldPattern<HiddenOp>, FieldPattern<LogitsOp>,
                 FieldPattern<MatmulTilesOp>, FieldPattern<AttentionBlocksOp>>(
        converter, context);
    ConversionTarget target(*context);
    target.addLegalDialect<arith::ArithDialect, scf::SCFDialect,
                           vector::VectorDialect, LLVM::LLVMDialect>();
    target.addLegalOp<ModuleOp, ModelOp, quantized::WeightOp,
                      quantized::WeightTableOp>();
    target.addIllegalDialect<KernelDialect>();
    target.addLegalOp<ModelOp>();
    target.addIllegalOp<quantized::ReferenceOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.addDynamicallyLegalOp<func::CallOp>(
        [&](func::CallOp op) { return converter.isLegal(op); });
    target.addLegalOp<func::ReturnOp>();
    return applyPartialConversion(module, target, std::move(patterns));
  }

  const CpuKernels &cpu;
  CodeIdentity identity;
};

}  // namespace

std::unique_ptr<Pass> createLowerKernelPass(const CpuKernels &cpu,
                                            CodeIdentity identity) {
  return std::make_unique<LowerKernel>(cpu, std::move(identity));
}

}  // namespace gemmac::targets
