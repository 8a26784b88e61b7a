// SPDX-License-Identifier: Apache-2.0
// LowerKernel: kernel dialect -> func, scf, arith, vector and LLVM-dialect
// memory ops, for CPU targets. IR before:
//   kernel.phase %step tiles(%n) { ^bb0(%t: index): kernel.add_row … }
// after:
//   scf.while (t = gemma_next_tile(step, thread, n)) < n { call @add_640(…, t)
//   } call @gemma_phase_end(step, thread)
// and the exported gemma_model_<name>. Does not know an instruction set: that
// is CpuKernels.
#ifndef GEMMAC_TARGETS_CPU_LOWERKERNEL_H
#define GEMMAC_TARGETS_CPU_LOWERKERNEL_H

#include <memory>

#include "mlir/Pass/Pass.h"
#include "targets/cpu/CpuKernels.h"
#include "targets/cpu/ModelCode.h"

namespace gemmac::targets {

std::unique_ptr<mlir::Pass> createLowerKernelPass(const CpuKernels &cpu,
                                                  CodeIdentity identity);

}  // namespace gemmac::targets

#endif
