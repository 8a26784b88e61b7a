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

// What callers ask of a function: where its buffers may begin, and the rows of
// a call.
struct Demand {
  int64_t base = 0, rows = 0;
};

class PlanBuffers : public lowering::impl::PlanBuffersBase<PlanBuffers> {
 public:
  void runOnOperation() override;

 private:
  int64_t place(func::FuncOp function, int64_t base);
};

}  // namespace

static int64_t roundUp(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Of one buffer: far above any memory, and so few that sums stay in i64.
static constexpr int64_t kMostBytes = int64_t(1) << 48;

static bool fits(int64_t rows, int64_t columns) {
  return rows <= kMostBytes / (columns * int64_t(sizeof(float)));
}

static LogicalResult check(func::FuncOp function, int64_t rows) {
  auto attribute = function->getAttrOfType<IntegerAttr>(kernel::kMaxRows);
  int64_t maxRows = attribute ? attribute.getInt() : 0;  // 0: there is none
  if (maxRows < rows)
    return function.emitError("expected '")
           << kernel::kMaxRows << "' of at least " << rows << " on @"
           << function.getName() << ", found " << maxRows;
  if (!function.getBody().hasOneBlock())
    return function.emitError("expected one block in @")
           << function.getName() << ", found "
           << function.getBody().getBlocks().size();
  WalkResult result = function.walk([&](kernel::AllocOp alloc) {
    int64_t columns = cast<MemRefType>(alloc.getType()).getDimSize(1);
    if (alloc->getParentOp() != function)
      alloc.emitError("expected buffers in front of phases, found one in ")
          << alloc->getParentOp()->getName();
    else if (!fits(maxRows, columns))
      alloc.emitError("expected at most 2^48 bytes a buffer, found ")
          << maxRows << " rows of " << columns << " columns";
    else
      return WalkResult::advance();
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

// The entry points' functions, each for the largest call of those it serves.
static llvm::MapVector<func::FuncOp, Demand> entryDemands(kernel::ModelOp model,
                                                          int64_t hidden) {
  llvm::MapVector<func::FuncOp, Demand> demands;
  auto module = model->getParentOfType<ModuleOp>();
  const int64_t rows[] = {
      1, int64_t(model.getBatchRows()), int64_t(model.getPrefillRows()),
      int64_t(model.getHeadRows()), int64_t(model.getHeadRows())};
  for (auto [entry, most] : llvm::zip_equal(kernel::entryPoints(model), rows)) {
    auto function = module.lookupSymbol<func::FuncOp>(entry.second);
    if (!function || function.isDeclaration()) continue;
    Demand &demand = demands[function];
    demand = {hidden, std::max(demand.rows, most)};
  }
  return demands;
}

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
  if (model.getArenaBytes()) {
    model.emitError("expected buffers to be placed once, found arena_bytes = ")
        << *model.getArenaBytes();
    return signalPassFailure();
  }
  int64_t rows = model.getPrefillRows(), width = model.getWidth();
  if (!fits(rows, width)) {
    model.emitError("expected at most 2^48 bytes of hidden rows, found ")
        << rows << " rows of " << width << " columns";
    return signalPassFailure();
  }
  int64_t hidden = roundUp(rows * width * 4);
  int64_t arena = hidden;
  // Callers first; a function's buffers stand above the highest caller's.
  auto demands = entryDemands(model, hidden);
  for (size_t i = 0; i < demands.size(); ++i) {
    func::FuncOp function = (demands.begin() + i)->first;
    Demand demand = (demands.begin() + i)->second;
    if (failed(check(function, demand.rows))) return signalPassFailure();
    int64_t end = place(function, demand.base);
    arena = std::max(arena, end);
    function.walk([&](kernel::CallLayerOp call) {
      func::FuncOp layer = kernel::lookupLayer(call);
      if (!layer) return;
      Demand &its = demands[layer];
      its = {std::max(its.base, end), std::max(its.rows, demand.rows)};
    });
  }
  model.setArenaBytes(arena);
  remark::passed(module.getLoc(),
                 remark::RemarkOpts::name("PlanBuffers").category("lowering"))
      << llvm::formatv("arena of {0} bytes", arena).str();
}
