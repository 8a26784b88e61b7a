// SPDX-License-Identifier: Apache-2.0
// --gemmac-quantize-tiles: geglu matmul -> f32 buffer -> quantize_row becomes a
// matmul whose tiles leave codes: 1.5 bytes an element written in place of
// four, and no barrier. IR before and after: test/lowering/quantize-tiles.mlir.
// Does not touch a quantization that normalises: a norm needs the whole row.
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/IR/Remarks.h"

namespace gemmac::lowering {
#define GEN_PASS_DEF_QUANTIZETILES
#include "compiler/lowering/Passes.h.inc"
}  // namespace gemmac::lowering

using namespace mlir;
using namespace gemmac;

namespace {

class QuantizeTiles : public lowering::impl::QuantizeTilesBase<QuantizeTiles> {
 public:
  void runOnOperation() override;
};

remark::RemarkOpts remarkOptions() {
  return remark::RemarkOpts::name("QuantizeTiles").category("lowering");
}

}  // namespace

// The gated matmul that alone writes what `quantize` alone reads.
static kernel::MatmulTileOp findMaker(kernel::QuantizeRowOp quantize) {
  kernel::MatmulTileOp maker;
  for (Operation *user : quantize.getIn().getUsers()) {
    if (user == quantize) continue;
    if (maker) return {};
    maker = dyn_cast<kernel::MatmulTileOp>(user);
    if (!maker) return {};
  }
  bool gated = maker && maker.getUp() && maker.getOut() == quantize.getIn();
  return gated ? maker : kernel::MatmulTileOp();
}

static StringRef reasonToKeep(kernel::QuantizeRowOp quantize,
                              kernel::MatmulTileOp maker) {
  if (quantize.getGain()) return "it normalises, which needs the whole row";
  auto phase = quantize->getParentOfType<kernel::PhaseOp>();
  if (!phase) return "it stands outside a phase";
  if (phase.getSegments().size() > 1 ||
      !llvm::hasSingleElement(quantize->getBlock()->without_terminator()))
    return "its phase does more";
  if (!quantize.getIn().getDefiningOp<kernel::AllocOp>() ||
      !quantize.getOut().getDefiningOp<kernel::AllocOp>())
    return "its buffers are not of this function alone";
  if (!maker) return "no gated matmul writes its input for it alone";
  if (maker.getRowBlocks() % 2) return "the tiles have odd row blocks";
  return "";
}

void QuantizeTiles::runOnOperation() {
  SmallVector<kernel::QuantizeRowOp> found;
  getOperation().walk(
      [&](kernel::QuantizeRowOp quantize) { found.push_back(quantize); });
  for (kernel::QuantizeRowOp quantize : found) {
    kernel::MatmulTileOp maker = findMaker(quantize);
    StringRef reason = reasonToKeep(quantize, maker);
    if (!reason.empty()) {
      remark::missed(quantize.getLoc(), remarkOptions())
          << remark::reason("{0}", reason);
      continue;
    }
    auto phase = quantize->getParentOfType<kernel::PhaseOp>();
    Operation *floats = quantize.getIn().getDefiningOp();
    Operation *codes = quantize.getOut().getDefiningOp();
    codes->moveAfter(floats);
    maker.getOutMutable().assign(quantize.getOut());
    remark::passed(maker.getLoc(), remarkOptions()) << "its tiles leave codes";
    phase.erase();
    floats->erase();
  }
}
