// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=keep | FileCheck %s --check-prefix=KEEP
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=f32 | FileCheck %s --check-prefix=F32
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=bf16 | FileCheck %s --check-prefix=BF16
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=int8 | FileCheck %s --check-prefix=INT8
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=int4 | FileCheck %s --check-prefix=INT4
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=int4 --remarks-filter=quantization 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=int4 2>&1 >/dev/null | FileCheck %s --check-prefix=WARNS
// RUN: gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=bf16 2>&1 >/dev/null | count 0
// RUN: not gemmac-opt %s --split-input-file --gemmac-choose-formats=quant=int3 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: expected quant to be keep, f32, bf16, int8 or int4, found 'int3'

// A matrix of a layer, wherever its reference stands, takes the wanted format.
// KEEP: @q : !quantized.tensor<64x256, q4_k>
// F32: @q : !quantized.tensor<64x256, f32>
// BF16: @q : !quantized.tensor<64x256, bf16>
// INT8: @q : !quantized.tensor<64x256, q8_0>
// INT4: @q : !quantized.tensor<64x256, q4_0>
quantized.weight @q : !quantized.tensor<64x256, q4_k> {file = 0 : i64, offset = 0 : i64, source_bytes = 9216 : i64, source_format = "q4_k"}
// INT8-LABEL: func.func @layer
func.func @layer(%x: tensor<?x256xf32>) -> tensor<?x64xf32> {
  // INT8: gemma.layer
  %y = gemma.layer 0 (%a = %x) : (tensor<?x256xf32>) -> tensor<?x64xf32> {
    // INT8: %[[W:.*]] = quantized.reference @q : <64x256, q8_0>
    // INT8: gemma.linear %{{.*}}, %[[W]] : tensor<?x256xf32>, !quantized.tensor<64x256, q8_0>
    // F32: quantized.reference @q : <64x256, f32>
    %w = quantized.reference @q : !quantized.tensor<64x256, q4_k>
    %z = gemma.linear %a, %w : tensor<?x256xf32>, !quantized.tensor<64x256, q4_k> -> tensor<?x64xf32>
    gemma.yield %z : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}

// -----

// A gain stays f32 in every mode.
// KEEP: @gain : !quantized.tensor<64, f32>
// BF16: @gain : !quantized.tensor<64, f32>
// INT8: @gain : !quantized.tensor<64, f32>
// INT4: @gain : !quantized.tensor<64, f32>
quantized.weight @gain : !quantized.tensor<64, bf16> {file = 0 : i64, offset = 0 : i64, source_bytes = 128 : i64, source_format = "bf16"}
// INT8-LABEL: func.func @norm
func.func @norm(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // INT8: quantized.reference @gain : <64, f32>
  %g = quantized.reference @gain : !quantized.tensor<64, bf16>
  %y = gemma.rms_norm %x, %g {eps = 1.0e-06 : f32, gain_offset = 1.0 : f32} : tensor<?x64xf32>, !quantized.tensor<64, bf16>
  return %y : tensor<?x64xf32>
}

// -----

// A tied embedding and head gets 8 bits where the layers get 4.
// KEEP: @embd : !quantized.tensor<96x64, f16>
// INT8: @embd : !quantized.tensor<96x64, q8_0>
// INT4: @embd : !quantized.tensor<96x64, q8_0>
// REMARK: remark: [Missed] ChooseFormats | Category:quantization | Reason="embd is the embedding or the head, which 4 bits ruin; becomes q8_0"
quantized.weight @embd : !quantized.tensor<96x64, f16> {file = 0 : i64, offset = 0 : i64, source_bytes = 12288 : i64, source_format = "f16"}
// INT4-LABEL: func.func @tied
func.func @tied(%t: tensor<?xi32>) -> tensor<?x96xf32> {
  // INT4-COUNT-2: quantized.reference @embd : <96x64, q8_0>
  %e = quantized.reference @embd : !quantized.tensor<96x64, f16>
  %x = gemma.embed %t, %e {scale = 8.0 : f32} : tensor<?xi32>, !quantized.tensor<96x64, f16> -> tensor<?x64xf32>
  %h = quantized.reference @embd : !quantized.tensor<96x64, f16>
  %y = gemma.linear %x, %h : tensor<?x64xf32>, !quantized.tensor<96x64, f16> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// -----

// An untied head, which no embed reads, gets 8 bits too.
// INT4: @head : !quantized.tensor<96x64, q8_0>
quantized.weight @head : !quantized.tensor<96x64, bf16> {file = 0 : i64, offset = 0 : i64, source_bytes = 12288 : i64, source_format = "bf16"}
func.func @untied(%x: tensor<?x64xf32>) -> tensor<?x96xf32> {
  %h = quantized.reference @head : !quantized.tensor<96x64, bf16>
  %y = gemma.linear %x, %h : tensor<?x64xf32>, !quantized.tensor<96x64, bf16> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// -----

// Must not fire: 40 columns are no multiple of 32, so bf16 stays; but f32,
// which has no blocks, takes it.
// F32: @odd : !quantized.tensor<8x40, f32>
// INT8: @odd : !quantized.tensor<8x40, bf16>
// INT4: @odd : !quantized.tensor<8x40, bf16>
// REMARK: remark: [Missed] ChooseFormats | Category:quantization | Reason="odd has 40 columns, no multiple of 32; stays bf16"
quantized.weight @odd : !quantized.tensor<8x40, bf16> {file = 0 : i64, offset = 0 : i64, source_bytes = 640 : i64, source_format = "bf16"}

// -----

// One warning for all that keep their format, and no more names than three.
// WARNS-NOT: warning:
// WARNS: warning: 1 of 1 matrices keep their own format, as int4 needs columns in multiples of 32: odd (40 columns, bf16){{$}}
// WARNS: warning: 4 of 5 matrices keep their own format, as int4 needs columns in multiples of 32: a (72 columns, f32), b (40 columns, bf16), c (8 columns, f16) and 1 more{{$}}
// WARNS-NOT: warning:
quantized.weight @a : !quantized.tensor<8x72, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 2304 : i64, source_format = "f32"}
quantized.weight @even : !quantized.tensor<8x64, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 2048 : i64, source_format = "f32"}
quantized.weight @b : !quantized.tensor<8x40, bf16> {file = 0 : i64, offset = 0 : i64, source_bytes = 640 : i64, source_format = "bf16"}
quantized.weight @c : !quantized.tensor<8x8, f16> {file = 0 : i64, offset = 0 : i64, source_bytes = 128 : i64, source_format = "f16"}
quantized.weight @d : !quantized.tensor<8x8, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 256 : i64, source_format = "f32"}
