// SPDX-License-Identifier: Apache-2.0
// --gemmac-plan-phases: fewer barriers. Adjacent phases -> one phase with the
// bodies one after the other (row operations of one row count) or with several
// segments (no dependency). IR before and after:
// test/lowering/plan-phases.mlir. Never moves work across a call.
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_PLANPHASES
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;
using kernel::PhaseOp;

namespace {

// What a region touches: buffers, and the kv cache.
struct Accesses {
  llvm::DenseSet<Value> reads, writes;
  bool storesCache = false, readsCache = false;

  void add(Region &region) {
    region.walk([&](Operation *op) {
      auto interface = dyn_cast<MemoryEffectOpInterface>(op);
      if (!interface) return;
      SmallVector<MemoryEffects::EffectInstance> effects;
      interface.getEffects(effects);
      for (auto &effect : effects) {
        bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
        if (isa<kernel::KvCache>(effect.getResource())) {
          (isWrite ? storesCache : readsCache) = true;
          continue;
        }
        if (!effect.getValue()) continue;
        if (isWrite)
          writes.insert(effect.getValue());
        else
          reads.insert(effect.getValue());
      }
    });
  }
};

bool meet(const llvm::DenseSet<Value> &a, const llvm::DenseSet<Value> &b) {
  return llvm::any_of(a, [&](Value value) { return b.contains(value); });
}

bool cacheConflict(const Accesses &a, const Accesses &b) {
  return (a.storesCache && b.readsCache) || (a.readsCache && b.storesCache);
}

bool independent(const Accesses &a, const Accesses &b) {
  return !meet(a.writes, b.writes) && !meet(a.writes, b.reads) &&
         !meet(a.reads, b.writes) && !cacheConflict(a, b);
}

class PlanPhases : public lowering::impl::PlanPhasesBase<PlanPhases> {
 public:
  void runOnOperation() override;

 private:
  void plan(func::FuncOp function);
};

}  // namespace

static Accesses accessesOf(Region &region) {
  Accesses accesses;
  accesses.add(region);
  return accesses;
}
static Accesses accessesOf(PhaseOp phase) {
  Accesses accesses;
  for (Region &region : phase.getSegments()) accesses.add(region);
  return accesses;
}

// Only phases, calls on buffers and what makes their operands can be moved.
static LogicalResult check(func::FuncOp function) {
  for (Operation &op : function.getBody().getOps()) {
    if (isa_and_nonnull<kernel::KernelDialect>(op.getDialect()) &&
        isa<quantized::CostOpInterface>(op))
      return op.emitError("expected work in a phase, found ")
             << op.getName() << " outside";
    if (isa<kernel::CallLayerOp>(op) && op.getNumResults())
      return op.emitError("expected calls without results, found ")
             << op.getNumResults();
  }
  return success();
}

static bool overRows(Value count) {
  return isa_and_nonnull<kernel::RowCountOp, kernel::WantedCountOp>(
      count.getDefiningOp());
}

// The segment of `into` whose tile body can take `phase`'s: both run over the
// same rows, and nothing else in `into` matters to it. −1 when there is none.
// A row operation touches its own row only, except for the gather of wanted
// rows, which reads the hidden rows that no phase of the head writes.
static int64_t rowSegment(PhaseOp into, PhaseOp phase) {
  if (phase.getSegments().size() != 1 || !overRows(phase.getTiles()[0]))
    return -1;
  Accesses mine = accessesOf(phase);
  int64_t found = -1;
  for (auto [i, region] : llvm::enumerate(into.getSegments())) {
    Accesses other = accessesOf(region);
    if (into.getTiles()[i] == phase.getTiles()[0] && found < 0 &&
        !cacheConflict(other, mine))
      found = int64_t(i);
    else if (!independent(other, mine))
      return -1;
  }
  return found;
}

// Appends the body of `phase` to segment `segment` of `into`.
static void appendBody(PhaseOp into, int64_t segment, PhaseOp phase) {
  Block &to = into.getSegments()[segment].front();
  Block &from = phase.getSegments().front().front();
  from.getTerminator()->erase();
  from.getArgument(0).replaceAllUsesWith(to.getArgument(0));
  to.getOperations().splice(to.getTerminator()->getIterator(),
                            from.getOperations());
  phase.erase();
}

// A phase with the segments of both; replaces `into`.
static PhaseOp joinSegments(PhaseOp into, PhaseOp phase) {
  OpBuilder b(into);
  SmallVector<Value> tiles(into.getTiles());
  llvm::append_range(tiles, phase.getTiles());
  auto both =
      PhaseOp::create(b, into.getLoc(), into.getStep(), tiles, tiles.size());
  size_t next = 0;
  for (PhaseOp part : {into, phase})
    for (Region &region : part.getSegments())
      both.getSegments()[next++].takeBody(region);
  into.erase();
  phase.erase();
  return both;
}

void PlanPhases::plan(func::FuncOp function) {
  if (!llvm::hasSingleElement(function.getBody())) return;
  Block &block = function.getBody().front();
  // Counts, references and buffers go to the front, so that a phase may move.
  SmallVector<Operation *> values, anchors;
  for (Operation &op : block.without_terminator())
    (isa<PhaseOp, kernel::CallLayerOp>(op) ? anchors : values).push_back(&op);
  if (anchors.empty()) return;
  for (Operation *op : values) op->moveBefore(anchors.front());
  auto barriers = [&] {
    return llvm::count_if(block,
                          [](Operation &op) { return isa<PhaseOp>(op); });
  };
  int64_t before = barriers();

  SmallVector<PhaseOp> done;  // since the last call
  for (Operation *op : anchors) {
    auto phase = dyn_cast<PhaseOp>(op);
    if (!phase) {
      done.clear();
      continue;
    }
    int64_t place = -1, segment = -1;
    Accesses mine = accessesOf(phase);
    for (int64_t i = int64_t(done.size()) - 1; i >= 0; --i) {
      int64_t row = rowSegment(done[i], phase);
      bool free = independent(accessesOf(done[i]), mine);
      if (row >= 0 || free) {
        place = i;
        segment = row;
      }
      if (!free) break;
    }
    if (place < 0)
      done.push_back(phase);
    else if (segment >= 0)
      appendBody(done[place], segment, phase);
    else
      done[place] = joinSegments(done[place], phase);
  }
  remark::passed(function.getLoc(),
                 remark::RemarkOpts::name("PlanPhases").category("lowering"))
      << llvm::formatv("@{0}: {1} barriers, {2} before", function.getName(),
                       int64_t(barriers()), before)
             .str();
}

void PlanPhases::runOnOperation() {
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    if (failed(check(function))) return signalPassFailure();
    if (!function.isDeclaration()) plan(function);
  }
}
