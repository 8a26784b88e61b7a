// SPDX-License-Identifier: Apache-2.0
// The passes of each stage of the IR, and what stands behind the last of them,
// with what a build's options mean to them. Whoever runs stages (a build, a
// memory plan, a list of passes) takes them here.
#ifndef GEMMAC_COMPILER_PIPELINE_STAGES_H
#define GEMMAC_COMPILER_PIPELINE_STAGES_H

#include "compiler/pipeline/BuildOptions.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "targets/Target.h"

namespace gemmac::pipeline {

// The format of the KV cache: as chosen, else f32 beside f32 weights and bf16
// beside all others.
KvFormat kvFormat(const BuildOptions &options);

void addFusion(mlir::OpPassManager &manager, const BuildOptions &options);
void addQuantization(mlir::OpPassManager &manager, const BuildOptions &options);
// `tiling` is the target's: how large its tiles and calls are.
void addLowering(mlir::OpPassManager &manager, const BuildOptions &options,
                 const targets::Tiling &tiling);

// A module as the target's passes leave it -> what `options.emit` says.
mlir::FailureOr<mlir::SmallVector<char, 0>> emit(mlir::ModuleOp module,
                                                 const targets::Target &target,
                                                 const BuildOptions &options);

}  // namespace gemmac::pipeline

#endif
