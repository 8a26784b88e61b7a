// SPDX-License-Identifier: Apache-2.0
// The enumerations of the quantized dialect, apart from it: their C++ is
// generated from this file alone, so that no other dialect's code repeats them.
#ifndef GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDENUMS_TD
#define GEMMAC_DIALECTS_QUANTIZED_QUANTIZEDENUMS_TD

include "mlir/IR/EnumAttr.td"

def Quantized_Role : I32EnumAttr<"Role", "what a weight does in its model", [
    I32EnumAttrCase<"Other", 0, "other">,
    I32EnumAttrCase<"Embedding", 1, "embedding">,
    I32EnumAttrCase<"Head", 2, "head">,
    I32EnumAttrCase<"Norm", 3, "norm">,
    I32EnumAttrCase<"Query", 4, "q">,
    I32EnumAttrCase<"Key", 5, "k">,
    I32EnumAttrCase<"Value", 6, "v">,
    I32EnumAttrCase<"AttentionOutput", 7, "attention_output">,
    I32EnumAttrCase<"Gate", 8, "gate">,
    I32EnumAttrCase<"Up", 9, "up">,
    I32EnumAttrCase<"Down", 10, "down">]> {
  let cppNamespace = "::gemmac::quantized";
  let genSpecializedAttr = 0;
}

def Quantized_Layout : I32EnumAttr<"Layout", "how a weight lies in the output file", [
    I32EnumAttrCase<"Dense", 0, "dense">,
    I32EnumAttrCase<"RowsInLanes", 1, "rows_in_lanes">]> {
  let description = [{
    `dense`: a vector's elements in order. `rows_in_lanes`: a matrix in blocks
    of 16 rows, one row a lane (PackedLayout.h).
  }];
  let cppNamespace = "::gemmac::quantized";
  let genSpecializedAttr = 0;
}

def Quantized_Transform : I32EnumAttr<"Transform", "what a weight's values go through between source and file", [
    I32EnumAttrCase<"Identity", 0, "identity">]> {
  let cppNamespace = "::gemmac::quantized";
  let genSpecializedAttr = 0;
}

def Quantized_ActivationScheme : I32EnumAttr<"ActivationScheme", "how rows of activations become codes", [
    I32EnumAttrCase<"ScalePer32", 0, "scale_per_32">]> {
  let description = [{
    `scale_per_32`: group g of 32 columns has the scale a = absmax / 127 and
    codes q = round-half-even(x · (1 / a)) in [-127, 127] (docs/numerics.md,
    point 1), and beside them the sums of the codes per 32 and per 16, which
    cancel a weight format's zero point. Bytes: ActivationLayout.h.
  }];
  let cppNamespace = "::gemmac::quantized";
  let genSpecializedAttr = 0;
}

#endif
