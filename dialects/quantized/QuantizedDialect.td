// SPDX-License-Identifier: Apache-2.0
// The quantized dialect: weights in fewer bits, and the arithmetic on them.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDDIALECT_TD
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "dialects/quantized/QuantizedEnums.td"

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
  let useDefaultAttributePrinterParser = 1;
}

// An attribute that the op does not know would change nothing and say nothing:
// a misspelt or an old one is refused. Names with a dialect's prefix pass.
def KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::gemmac::quantized";
}

//===-- constraints of numbers ---------------------------------------------===//

def Finite : AttrConstraint<
    CPred<"::llvm::cast<::mlir::FloatAttr>($_self).getValue().isFinite()">,
    "that is finite">;
def FinitePositive : AttrConstraint<
    And<[Finite.predicate, CPred<"!::llvm::cast<::mlir::FloatAttr>($_self)"
      ".getValue().isNegative() && ::llvm::cast<::mlir::FloatAttr>($_self)"
      ".getValue().isNonZero()">]>,
    "that is finite and > 0">;
def FiniteNonNegative : AttrConstraint<
    And<[Finite.predicate, CPred<"(!::llvm::cast<::mlir::FloatAttr>($_self)"
      ".getValue().isNegative() || ::llvm::cast<::mlir::FloatAttr>($_self)"
      ".getValue().isZero())">]>,
    "that is finite and >= 0">;
// Sizes stay below 2^31, so that a product of two and a small factor never
// leaves i64: passes and targets multiply them unchecked.
def Size : ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<0x7fffffff>]>;
def Count : ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<0x7fffffff>]>;
// Blocks of 128 positions, of which 2^31 positions have so many.
def Blocks : ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<0x1000000>]>;

// [?, n]: any number of rows of a static number of columns.
class RowsOf<Type shaped, string summary> : ConfinedType<shaped, [
    CPred<"::llvm::cast<::mlir::ShapedType>($_self).isDynamicDim(0)">,
    CPred<"::gemmac::quantized::isSize("
          "::llvm::cast<::mlir::ShapedType>($_self).getDimSize(1))">], summary>;
// [T, n] of f32: what flows between ops.
def Rows : RowsOf<2DTensorOf<[F32]>, "2D tensor of any number of rows of f32">;

def MultipleOf64 : AttrConstraint<
    CPred<"::llvm::cast<::mlir::IntegerAttr>($_self).getInt() % 64 == 0">,
    "that is a multiple of 64">;

//===-- attributes ---------------------------------------------------------===//

class Quantized_Attr<string name, string attrMnemonic>
    : AttrDef<Quantized_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Quantized_NormAttr : Quantized_Attr<"Norm", "norm"> {
  let summary = "the numbers of a root mean square norm";
  let description = [{
    y = x · 1/sqrt(mean(x²) + eps) · (gain + gain_offset), the mean over a
    segment as long as the gain. gain_offset is 1 where a file stores gains less
    one (Hugging Face's Gemma 1 to 3) and 0 where it stores the sum (GGUF).

    Constraints:
    - (C1) both are finite f32, and eps > 0

    Example: `#quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>`
  }];
  let parameters = (ins "::mlir::FloatAttr":$eps,
                        "::mlir::FloatAttr":$gain_offset);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    float epsValue() const { return getEps().getValue().convertToFloat(); }
    float gainOffsetValue() const {
      return getGainOffset().getValue().convertToFloat();
    }
  }];
}

def Quantized_EpilogueAttr : Quantized_Attr<"Epilogue", "epilogue"> {
  let summary = "what a product of matrices does with its results";
  let description = [{
    Finished sums are rewritten while they are in registers or the cache:
    - `geglu`: y = gelu_tanh(x · W₀ᵀ) · (x · W₁ᵀ), of two weights,
    - `softcap = c`: y = c · tanh(x · Wᵀ / c),
    - `arg_max`: beside y, for each row its largest number and that number's
      column. Of equal ones the lowest column counts. NaN is no number.

    Constraints:
    - (C1) one of the three at least; geglu stands alone
    - (C2) softcap is a finite f32 > 0

    Example: `#quantized.epilogue<softcap = 3.0e+01 : f32, arg_max>`
  }];
  let parameters = (ins "bool":$geglu,
                        OptionalParameter<"::mlir::FloatAttr">:$softcap,
                        "bool":$arg_max);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

// For the ops that carry an optional $epilogue: its parts, where there is none
// too.
class Quantized_WithEpilogue {
  code accessors = [{
    bool getGeglu() { return getEpilogueAttr() && getEpilogueAttr().getGeglu(); }
    bool getArgMax() {
      return getEpilogueAttr() && getEpilogueAttr().getArgMax();
    }
    ::std::optional<::llvm::APFloat> getSoftcap() {
      auto cap = getEpilogueAttr() ? getEpilogueAttr().getSoftcap()
                                   : ::mlir::FloatAttr();
      if (!cap) return ::std::nullopt;
      return cap.getValue();
    }
  }];
}
def Quantized_EpilogueAccessors : Quantized_WithEpilogue;

def Quantized_RoleAttr : EnumAttr<Quantized_Dialect, Quantized_Role, "role"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quantized_LayoutAttr
    : EnumAttr<Quantized_Dialect, Quantized_Layout, "layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quantized_TransformAttr
    : EnumAttr<Quantized_Dialect, Quantized_Transform, "transform"> {
  let assemblyFormat = "`<` $value `>`";
}

def Quantized_SourceAttr : Quantized_Attr<"Source", "source"> {
  let summary = "bytes of a checkpoint that hold one tensor";
  let description = [{
    `bytes` bytes at `offset` of file `file`, an index into the module's
    `gemma.sources`, stored there row-major in `format`.

    Constraints:
    - (C1) file, offset and bytes are not negative
    - (C2) `format` is a known format

    Example: `#quantized.source<file = 0, offset = 4096, bytes = 450560, format = "q5_0">`
  }];
  let parameters = (ins "int64_t":$file, "int64_t":$offset, "int64_t":$bytes,
                        StringRefParameter<"format name">:$format);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Quantized_ActivationSchemeAttr : EnumAttr<Quantized_Dialect,
    Quantized_ActivationScheme, "activation_scheme"> {
  let assemblyFormat = "`<` $value `>`";
}

//===-- types --------------------------------------------------------------===//

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
  let summary = "T rows of activations as 8-bit codes with scales";
  let description = [{
    What a row holds, and how its scales are found, is the scheme's
    (#quantized.activation_scheme). Columns are a multiple of 32.

    Example: `!quantized.activations<640, scale_per_32>`
  }];
  let parameters = (ins "int64_t":$columns,
                        EnumParameter<Quantized_ActivationScheme>:$scheme);
  let assemblyFormat = "`<` $columns `,` $scheme `>`";
  let genVerifyDecl = 1;
}

#endif
