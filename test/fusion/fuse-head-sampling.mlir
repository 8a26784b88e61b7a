// RUN: gemmac-opt %s --gemmac-fuse-head-sampling | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-head-sampling --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseHeadSampling
// CHECK-LABEL: func.func @fuses
// CHECK-SAME: -> (tensor<?x96xf32>, tensor<?x2xf32>)
// CHECK-NEXT: gemma.wanted_rows
// CHECK-NEXT: %[[Y:.*]]:2 = gemma.linear %{{.*}}, %arg1 norm %arg2 {epilogue = #quantized.epilogue<softcap = 3.000000e+01 : f32, arg_max>, norm = {{.*}}} {{.*}} -> tensor<?x96xf32>, tensor<?x2xf32>
// CHECK-NEXT: return %[[Y]]#0, %[[Y]]#1 : tensor<?x96xf32>, tensor<?x2xf32>
func.func @fuses(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, q8_0>, %g: !quantized.tensor<64, f32>) -> tensor<?x96xf32> {
  %r = gemma.wanted_rows %x : tensor<?x64xf32>
  %y = gemma.linear %r, %w norm %g {epilogue = #quantized.epilogue<softcap = 30.0 : f32>, norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<96x64, q8_0> norm !quantized.tensor<64, f32> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: the logits are capped behind the linear, which would find the
// arg-max of others.
// REMARK: [Missed] FuseHeadSampling
// REMARK-SAME: the logits are no linear's that nothing else reads
// CHECK-LABEL: func.func @keeps_what_is_capped_later
// CHECK-NOT: arg_max
func.func @keeps_what_is_capped_later(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %r = gemma.wanted_rows %x : tensor<?x64xf32>
  %y = gemma.linear %r, %w : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %z = gemma.softcap %y {cap = 30.0 : f32} : tensor<?x96xf32>
  return %z : tensor<?x96xf32>
}

// Must not fire: no rows are wanted of it, it is no head.
// CHECK-LABEL: func.func @keeps_other_linears
// CHECK-NOT: arg_max
func.func @keeps_other_linears(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %y = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}
