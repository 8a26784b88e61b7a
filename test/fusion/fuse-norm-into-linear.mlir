// RUN: gemmac-opt %s --gemmac-fuse-norm-into-linear | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-norm-into-linear --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseNormIntoLinear
// CHECK-LABEL: func.func @fuses
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x64xf32>, %[[G:[^:]*]]: !quantized.tensor<64, f32>, %[[W:[^:]*]]: !quantized.tensor<96x64, q8_0>
// CHECK-NEXT: gemma.linear %[[X]], %[[W]] norm %[[G]] {norm = #quantized.norm<eps = 9.99999997E-7 : f32, gain_offset = 1.000000e+00 : f32>}
// CHECK-NEXT: return
func.func @fuses(%x: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>, %w: !quantized.tensor<96x64, q8_0>) -> tensor<?x96xf32> {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %y = gemma.linear %n, %w : tensor<?x64xf32>, !quantized.tensor<96x64, q8_0> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: two linears read the normalised rows.
// REMARK: [Missed] FuseNormIntoLinear
// REMARK-SAME: its result has several readers
// CHECK-LABEL: func.func @keeps_two_readers
// CHECK: gemma.rms_norm
func.func @keeps_two_readers(%x: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>, %w: !quantized.tensor<96x64, q8_0>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %y = gemma.linear %n, %w : tensor<?x64xf32>, !quantized.tensor<96x64, q8_0> -> tensor<?x96xf32>
  %z = gemma.linear %n, %w : tensor<?x64xf32>, !quantized.tensor<96x64, q8_0> -> tensor<?x96xf32>
  return %y, %z : tensor<?x96xf32>, tensor<?x96xf32>
}

// Must not fire: a norm of heads.
// REMARK: [Missed] FuseNormIntoLinear
// REMARK-SAME: the norm works on heads
// CHECK-LABEL: func.func @keeps_a_norm_of_heads
// CHECK: gemma.rms_norm
func.func @keeps_a_norm_of_heads(%x: tensor<?x64xf32>, %g: !quantized.tensor<16, f32>, %w: !quantized.tensor<96x64, q8_0>) -> tensor<?x96xf32> {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<16, f32>
  %y = gemma.linear %n, %w : tensor<?x64xf32>, !quantized.tensor<96x64, q8_0> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: a sum reads the norm, as behind attention in Gemma 2 and 3.
// REMARK: [Missed] FuseNormIntoLinear
// REMARK-SAME: its one reader is no linear
// CHECK-LABEL: func.func @keeps_a_norm_that_is_added
// CHECK: gemma.rms_norm
func.func @keeps_a_norm_that_is_added(%x: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>) -> tensor<?x64xf32> {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %y = gemma.add %x, %n : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
