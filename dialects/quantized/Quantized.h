// The quantized dialect's C++ face: dialect, types and op classes.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZED_H
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZED_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/quantized/QuantizedDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/quantized/QuantizedTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/quantized/QuantizedOps.h.inc"

#endif
