// SPDX-License-Identifier: Apache-2.0
// The conversion patterns of LowerKernel: phases become loops that ask for
// tiles (PhasePattern.cpp), tile operations calls of kernels, and operations
// that name memory pointers (KernelPatterns.cpp). They share one library.
#ifndef GEMMAC_TARGETS_CPU_KERNELPATTERNS_H
#define GEMMAC_TARGETS_CPU_KERNELPATTERNS_H

#include "mlir/Transforms/DialectConversion.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Base of all patterns: they share the kernel library.
template <typename Op>
struct KernelPattern : mlir::OpConversionPattern<Op> {
  KernelPattern(const mlir::TypeConverter &converter,
                mlir::MLIRContext *context, KernelLibrary &library)
      : mlir::OpConversionPattern<Op>(converter, context), library(library) {}
  KernelLibrary &library;
};

// All of them, PhasePattern among them.
void populateKernelPatterns(const mlir::TypeConverter &converter,
                            mlir::RewritePatternSet &patterns,
                            KernelLibrary &library);
void populatePhasePattern(const mlir::TypeConverter &converter,
                          mlir::RewritePatternSet &patterns,
                          KernelLibrary &library);

}  // namespace gemmac::targets

#endif
