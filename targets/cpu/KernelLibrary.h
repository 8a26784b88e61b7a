// SPDX-License-Identifier: Apache-2.0
// The kernels of one module: private functions that tile operations call, each
// made once for its operation, sizes, formats and tile (unrolled bodies compile
// ten times slower and run no faster), and what a CPU target adds to them.
#ifndef GEMMAC_TARGETS_CPU_KERNELLIBRARY_H
#define GEMMAC_TARGETS_CPU_KERNELLIBRARY_H

#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/WeightFormat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "targets/cpu/Emitter.h"

namespace gemmac::targets {

// One group's products for M tokens: result[m] = Σ (q − zeroPoint) · x over
// 4 · steps columns, lanes are weight rows. Exact in i32.
struct GroupDot {
  // Makes vector<64xi8> number j; its byte lane·4 + i belongs to column 4j + i.
  // Asked for once each, in order: what is made when it is used needs no stack.
  llvm::function_ref<mlir::Value(int64_t)> codes;
  int64_t steps;  // how many there are
  // M pointers to the group's first activation code (s8).
  llvm::ArrayRef<mlir::Value> tokens;
  // M scalars (i32): Σ x of the group.
  llvm::ArrayRef<mlir::Value> sums;
  unsigned codeBits;
  int zeroPoint;
};

// The same of a matrix engine, from memory to memory:
// products[m][lane] = Σ code · x over `columns` (16 or 32), exact in i32.
struct EngineDot {
  mlir::Value codes;     // s8 [columns / 4][16][4], the zero point subtracted
  mlir::Value tokens;    // s8, M rows
  int64_t tokenBytes;    // from one row to the next
  mlir::Value products;  // i32 [M][16], aligned to 64
  int64_t columns;
};

class KernelLibrary;

// What one instruction set does better than plain vectors.
class CpuKernels {
 public:
  virtual ~CpuKernels() = default;
  // M of the widest matmul tile, a power of two.
  virtual int64_t tokensPerTile() const { return 4; }
  // Vectors of 16 sums that a loop carries in registers, with room for as much
  // again: 16 registers of 256 bits hold 4 so.
  virtual int64_t sumsInRegisters() const { return 4; }
  // Bytes ahead of which a stream of weights is prefetched; 0: the processor
  // does it well enough.
  virtual int64_t prefetchDistance() const { return 0; }
  // Plain widening multiplies: right everywhere.
  virtual llvm::SmallVector<mlir::Value> groupDot(Emitter &e,
                                                  const GroupDot &dot) const;

  // Emits `rounds` rounds of the fastest exact 8-bit products on registers, and
  // what keeps them alive, 64 bytes at `sink`. Returns the operations of a
  // round; 0: emits nothing.
  virtual int64_t dotPeak(Emitter &, KernelLibrary &, mlir::Value rounds,
                          mlir::Value sink) const {
    return 0;
  }

  // M of a matrix engine, which takes over from so many rows of codes on; 0
  // where there is none, and nothing below is called.
  virtual int64_t tokensPerEngine() const { return 0; }
  virtual void engineDot(Emitter &, const EngineDot &) const {}
  // Around a phase, on each of its threads.
  virtual void startEngine(Emitter &, KernelLibrary &) const {}
  virtual void stopEngine(Emitter &) const {}
};

// Offsets in the context that compiled functions pass around as !kernel.step.
inline constexpr int64_t kContextStep = 0;
inline constexpr int64_t kContextScratch = 8;
inline constexpr int64_t kContextThread = 16;
inline constexpr int64_t kContextBytes = 24;

class KernelLibrary {
 public:
  KernelLibrary(mlir::ModuleOp module, const CpuKernels &cpu)
      : cpu(cpu), module(module) {}

  using Body = llvm::function_ref<void(Emitter &, mlir::ValueRange)>;
  // The function of that name; made with `body` on first use. The name says
  // everything that the body depends on. scratchBytes: what it uses of the
  // thread's scratch.
  mlir::func::FuncOp get(llvm::StringRef name, mlir::TypeRange arguments,
                         mlir::Location loc, Body body,
                         int64_t scratchBytes = 0);
  // Calls it with `operands` (index ones become i64).
  void call(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
            mlir::ValueRange operands, Body body, int64_t scratchBytes = 0);
  // A private constant array.
  mlir::Value constants(Emitter &e, llvm::StringRef name,
                        mlir::DenseElementsAttr values);

  int64_t scratchBytes() const { return scratch; }
  const CpuKernels &cpu;

 private:
  mlir::ModuleOp module;
  int64_t scratch = 0;
};

// Fields of ModelAbi.h's structs, read by compiled code.
mlir::Value stepField(Emitter &e, mlir::Value context, mlir::Type type,
                      int64_t offset);
// Pointer to the gemma_row of row `row` (i64).
mlir::Value rowPointer(Emitter &e, mlir::Value context, mlir::Value row);
mlir::Value scratchPointer(Emitter &e, mlir::Value context);
namespace abi {
inline constexpr int64_t kRows = 0, kCount = 8, kWanted = 16, kWantedCount = 24,
                         kWeights = 32, kArena = 40, kScratch = 48,
                         kScratchStride = 56, kLogits = 64, kRowBytes = 32,
                         kRowToken = 0, kRowPosition = 4, kRowVisibleEnd = 8,
                         kRowEmbedding = 16, kRowKv = 24, kKvLayerBytes = 24;
}
inline constexpr llvm::StringLiteral kKvLayersSymbol = "gemma_kv_layers";

// One kernel each: replaces the operation by a call.
void lowerRowOp(mlir::Operation *op, mlir::ValueRange operands,
                mlir::OpBuilder &builder, KernelLibrary &library);
void lowerMatmulTile(kernel::MatmulTileOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);
// Whether its kernel gives chunks with enough rows to the matrix engine.
bool usesEngine(kernel::MatmulTileOp op, const CpuKernels &cpu);
void lowerEmbedRow(kernel::EmbedRowOp op, mlir::ValueRange operands,
                   mlir::OpBuilder &builder, KernelLibrary &library);
void lowerKvStoreRow(kernel::KvStoreRowOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);
void lowerAttentionTile(kernel::AttentionTileOp op, mlir::ValueRange operands,
                        mlir::OpBuilder &builder, KernelLibrary &library);
void lowerAttentionBlock(kernel::AttentionBlockOp op, mlir::ValueRange operands,
                         mlir::OpBuilder &builder, KernelLibrary &library);
void lowerAttentionFoldRow(kernel::AttentionFoldRowOp op,
                           mlir::ValueRange operands, mlir::OpBuilder &builder,
                           KernelLibrary &library);
// max over the call's rows of the blocks a row sees, as index.
mlir::Value emitAttentionBlocks(Emitter &e, mlir::Value context,
                                int64_t window);

}  // namespace gemmac::targets

#endif
