// SPDX-License-Identifier: Apache-2.0
// The quantized dialect: weights in fewer bits, and the arithmetic on them.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDDIALECT_TD
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Quantized_Dialect : Dialect {
  let name = "quantized";
  let summary = "weights in a storage format, and arithmetic on their codes";
  let description = [{
    A weight is a symbol (`quantized.weight`) that names bytes of a checkpoint;
    its values never become constants of the IR. Its type says which format
    it is kept in: `!quantized.tensor<1024x640, q5_0>`. A format is a
    descriptor (dialects/quantized/WeightFormat.h).
  }];
  let cppNamespace = "::gemmac::quantized";
  let useDefaultTypePrinterParser = 1;
}

class Quantized_Type<string name, string typeMnemonic>
    : TypeDef<Quantized_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Quantized_TensorType : Quantized_Type<"Tensor", "tensor"> {
  let summary = "a constant tensor kept in a weight format";
  let description = [{
    `shape` is [rows, columns] of a matrix that maps columns to rows
    (y = x · Wᵀ), or [n] of a vector. `format` is the lower-case name of a
    format of dialects/quantized/formats: f32 f16 bf16 q8_0 q4_0 q4_1 q5_0
    q5_1 q4_k q5_k q6_k.

    Example: `!quantized.tensor<1024x640, q5_0>`
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        StringRefParameter<"format name">:$format);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t rows() const { return getShape().front(); }
    int64_t columns() const { return getShape().back(); }
    bool isVector() const { return getShape().size() == 1; }
  }];
}

def Quantized_ActivationsType : Quantized_Type<"Activations", "activations"> {
  let summary = "T rows of activations as 8-bit codes with a scale per 32";
  let description = [{
    Row t, group g of 32: scale a = absmax / 127, code q = round-half-even(x ·
    (1 / a)) in [-127, 127] (docs/numerics.md, point 1), and the sums of the
    codes per 32 and per 16, which cancel a weight format's zero point.

    Example: `!quantized.activations<640>`
  }];
  let parameters = (ins "int64_t":$columns);
  let assemblyFormat = "`<` $columns `>`";
  let genVerifyDecl = 1;
}

#endif
