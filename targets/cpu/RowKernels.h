// SPDX-License-Identifier: Apache-2.0
// Kernels whose tile is one row: norm, codes, RoPE, copy, arg-max and what goes
// element by element. Sums follow docs/numerics.md (16 lanes, one tree). Each
// function makes a call of its operation's kernel at the builder's place; the
// operation itself stays.
#ifndef GEMMAC_TARGETS_CPU_ROWKERNELS_H
#define GEMMAC_TARGETS_CPU_ROWKERNELS_H

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/KernelLibrary.h"

namespace gemmac::targets {

// Operands: in, gain, out, row, [residual].
void lowerRmsNormRow(kernel::RmsNormRowOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: in, out, row, [gain].
void lowerQuantizeRow(kernel::QuantizeRowOp op, mlir::ValueRange operands,
                      mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: in, angles, out, row, [gain].
void lowerRopeRow(kernel::RopeRowOp op, mlir::ValueRange operands,
                  mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: context, out, row.
void lowerRopeAnglesRow(kernel::RopeAnglesRowOp op, mlir::ValueRange operands,
                        mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: in, in's row, out, out's row.
void lowerCopyRow(kernel::CopyRowOp op, mlir::ValueRange operands,
                  mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: in, out, row.
void lowerArgMaxRow(kernel::ArgMaxRowOp op, mlir::ValueRange operands,
                    mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: gate, up, out, row.
void lowerGegluRow(kernel::GegluRowOp op, mlir::ValueRange operands,
                   mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: lhs, rhs, out, row.
void lowerAddRow(kernel::AddRowOp op, mlir::ValueRange operands,
                 mlir::OpBuilder &builder, KernelLibrary &library);
// Operands: in, out, row.
void lowerSoftcapRow(kernel::SoftcapRowOp op, mlir::ValueRange operands,
                     mlir::OpBuilder &builder, KernelLibrary &library);

}  // namespace gemmac::targets

#endif
