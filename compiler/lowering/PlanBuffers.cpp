// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-buffers: kernel.alloc -> kernel.arena. Liveness in order of
// phases and calls, first fit; a layer function's buffers stand above all of
// its entry's. IR before and after: test/lowering/plan-buffers.mlir. Does not
// reorder or merge phases.
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_PLANBUFFERS
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

struct Buffer {
  kernel::AllocOp op;
  int64_t bytes, first, last;
  int64_t offset;
  int64_t end() const { return offset + bytes; }
};

class PlanBuffers : public lowering::impl::PlanBuffersBase<PlanBuffers> {
 public:
  void runOnOperation() override;

 private:
  int64_t place(func::FuncOp function, int64_t base);
};

}  // namespace

static int64_t roundUp(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Buffers of a function with the interval of ops of its block that use them.
static SmallVector<Buffer> collect(func::FuncOp function, int64_t maxRows) {
  Block &block = function.getBody().front();
  DenseMap<Operation *, int64_t> order;
  for (auto [i, op] : llvm::enumerate(block)) order[&op] = int64_t(i);
  SmallVector<Buffer> buffers;
  for (auto alloc : block.getOps<kernel::AllocOp>()) {
    auto type = cast<MemRefType>(alloc.getType());
    int64_t bytes = maxRows * type.getDimSize(1) *
                    int64_t(type.getElementTypeBitWidth() / 8);
    Buffer buffer{alloc, roundUp(bytes), INT64_MAX, -1, 0};
    for (Operation *user : alloc->getUsers()) {
      int64_t at = order.lookup(block.findAncestorOpInBlock(*user));
      buffer.first = std::min(buffer.first, at);
      buffer.last = std::max(buffer.last, at);
    }
    buffers.push_back(buffer);
  }
  return buffers;
}

// First fit: each buffer at the lowest offset that no buffer alive with it
// covers. Returns the end of the highest.
int64_t PlanBuffers::place(func::FuncOp function, int64_t base) {
  SmallVector<Buffer> placed;
  int64_t end = base;
  int64_t maxRows =
      function->getAttrOfType<IntegerAttr>(kernel::kMaxRows).getInt();
  for (Buffer buffer : collect(function, maxRows)) {
    if (buffer.last < 0) {
      buffer.op.erase();
      continue;
    }
    SmallVector<Buffer> alive;
    for (const Buffer &other : placed)
      if (other.first <= buffer.last && buffer.first <= other.last)
        alive.push_back(other);
    llvm::sort(alive, [](const Buffer &a, const Buffer &b) {
      return a.offset < b.offset;
    });
    buffer.offset = base;
    for (const Buffer &other : alive) {
      if (buffer.end() <= other.offset) break;
      buffer.offset = std::max(buffer.offset, other.end());
    }
    end = std::max(end, buffer.end());
    placed.push_back(buffer);
  }
  for (Buffer &buffer : placed) {
    OpBuilder b(buffer.op);
    auto arena =
        kernel::ArenaOp::create(b, buffer.op.getLoc(), buffer.op.getType(),
                                buffer.op.getStep(), buffer.offset);
    buffer.op.replaceAllUsesWith(arena.getResult());
    buffer.op.erase();
  }
  return end;
}

void PlanBuffers::runOnOperation() {
  ModuleOp module = getOperation();
  kernel::ModelOp model = kernel::findModel(module);
  if (!model) return signalPassFailure();
  int64_t hidden =
      roundUp(int64_t(model.getPrefillRows()) * model.getWidth() * 4);
  int64_t arena = hidden;
  // Callers first; a function's buffers stand above the highest caller's.
  llvm::MapVector<func::FuncOp, int64_t> base;
  for (auto [name, entry] : kernel::entryPoints(model))
    if (auto function = module.lookupSymbol<func::FuncOp>(entry);
        function && !function.isDeclaration())
      base[function] = hidden;
  for (size_t i = 0; i < base.size(); ++i) {
    func::FuncOp function = (base.begin() + i)->first;
    if (!function->hasAttr(kernel::kMaxRows)) {
      function.emitError() << "expected '" << kernel::kMaxRows << "' on @"
                           << function.getName();
      return signalPassFailure();
    }
    int64_t end = place(function, (base.begin() + i)->second);
    arena = std::max(arena, end);
    function.walk([&](kernel::CallLayerOp call) {
      if (func::FuncOp layer = kernel::lookupLayer(call))
        base[layer] = std::max(base[layer], end);
    });
  }
  model.setArenaBytes(arena);
  remark::passed(module.getLoc(),
                 remark::RemarkOpts::name("PlanBuffers").category("lowering"))
      << llvm::formatv("arena of {0} bytes", arena).str();
}
