// RUN: gemmac-opt %s --gemmac-fuse-gated-mlp | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-gated-mlp --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Gate comes first in geglu and in the fused op, whatever the order of the
// linears.
// REMARK: [Passed] FuseGatedMlp
// CHECK-LABEL: func.func @fuses
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[G:.*]]: !quantized.tensor<96x64, f32>, %[[U:.*]]: !quantized.tensor<96x64, bf16>
// CHECK-NEXT: gemma.linear %[[X]], %[[G]], %[[U]] {epilogue = #quantized.epilogue<geglu>}
// CHECK-NEXT: return
func.func @fuses(%x: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>, %u: !quantized.tensor<96x64, bf16>) -> tensor<?x96xf32> {
  %up = gemma.linear %x, %u : tensor<?x64xf32>, !quantized.tensor<96x64, bf16> -> tensor<?x96xf32>
  %gate = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %y = gemma.geglu %gate, %up : tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: gate and up read different rows.
// REMARK: [Missed] FuseGatedMlp
// REMARK-SAME: gate and up have two inputs
// CHECK-LABEL: func.func @keeps_two_inputs
// CHECK: gemma.geglu
func.func @keeps_two_inputs(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %gate = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %up = gemma.linear %z, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %y = gemma.geglu %gate, %up : tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: the gate's rows are read elsewhere.
// REMARK: [Missed] FuseGatedMlp
// REMARK-SAME: gate or up is no linear that only geglu reads
// CHECK-LABEL: func.func @keeps_a_shared_gate
// CHECK: gemma.geglu
func.func @keeps_a_shared_gate(%x: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  %gate = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %up = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %y = gemma.geglu %gate, %up : tensor<?x96xf32>
  return %y, %gate : tensor<?x96xf32>, tensor<?x96xf32>
}

// Must not fire: FuseQkv came first, and gate and up are results of one op.
// REMARK: [Missed] FuseGatedMlp
// REMARK-SAME: gate and up are results of one op
// CHECK-LABEL: func.func @keeps_joined_linears
// CHECK: gemma.geglu
func.func @keeps_joined_linears(%x: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %both:2 = gemma.linear %x, %g, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>, tensor<?x96xf32>
  %y = gemma.geglu %both#0, %both#1 : tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}
