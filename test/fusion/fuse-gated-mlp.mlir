// RUN: gemmac-opt %s --gemmac-fuse-gated-mlp | FileCheck %s

// Gate comes first in geglu and in the fused op, whatever the order of the
// linears.
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
// CHECK-LABEL: func.func @keeps_two_inputs
// CHECK: gemma.geglu
func.func @keeps_two_inputs(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %gate = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %up = gemma.linear %z, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %y = gemma.geglu %gate, %up : tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// Must not fire: the gate's rows are read elsewhere.
// CHECK-LABEL: func.func @keeps_a_shared_gate
// CHECK: gemma.geglu
func.func @keeps_a_shared_gate(%x: tensor<?x64xf32>, %g: !quantized.tensor<96x64, f32>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  %gate = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %up = gemma.linear %x, %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %y = gemma.geglu %gate, %up : tensor<?x96xf32>
  return %y, %gate : tensor<?x96xf32>, tensor<?x96xf32>
}
