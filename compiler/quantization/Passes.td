// SPDX-License-Identifier: Apache-2.0
// Passes of the quantization stage.
#ifndef GEMMAC_COMPILER_QUANTIZATION_PASSES_TD
#define GEMMAC_COMPILER_QUANTIZATION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseFormats : Pass<"gemmac-choose-formats", "::mlir::ModuleOp"> {
  let summary = "sets the format that each weight has in the output file";
  let description = [{
    Sets the type of every `quantized.weight` and of each `quantized.reference`
    to it. Vectors become f32. Matrices become what `quant` says:

    | quant | matrices | the embedding and the head |
    |---|---|---|
    | keep | the checkpoint's format | the same |
    | f32, bf16 | f32, bf16 | the same |
    | int8 | q8_0 | the same |
    | int4 | q4_0 | q8_0: four bits there ruin the text |

    A float matrix whose columns are no multiple of 32 keeps its format under
    int8 and int4; one warning names such matrices. Packaging converts the bytes where the type's format is not
    the source's. Runs before QuantizeActivations and OutlineLayers.
  }];
  let options = [
    Option<"quant", "quant", "std::string", "\"keep\"",
           "keep, f32, bf16, int8 or int4">
  ];
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect"];
}

def QuantizeActivations
    : Pass<"gemmac-quantize-activations", "::mlir::ModuleOp"> {
  let summary = "turns linears on integer codes into integer products";
  let description = [{
    `gemma.linear` whose weight has a format with integer codes becomes
    `quantized.matmul` of its input's 8-bit codes. Linears of one block that
    share their input (q, k and v; gate and up) share one
    `quantized.quantize_activation`. Linears on f32, f16 and bf16 stay.
  }];
  let dependentDialects = ["::gemmac::quantized::QuantizedDialect"];
}

#endif
