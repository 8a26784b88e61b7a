// RUN: gemmac-opt %s --gemmac-fuse-qkv | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-qkv --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

quantized.weight @k : !quantized.tensor<32x64, f32> from [#quantized.source<file = 0, offset = 0, bytes = 8192, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}

// One op with a result for each weight, where the first linear stood; a weight
// reference below it moves up.
// REMARK-DAG: [Passed] FuseQkv{{.*}}2 weights read one input
// CHECK-LABEL: func.func @fuses
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x64xf32>, %[[A:[^:]*]]: tensor<?x16xf32>, %[[Q:[^:]*]]: !quantized.tensor<64x64, q4_0>
// CHECK-NEXT: %[[K:.*]] = quantized.reference @k
// CHECK-NEXT: %[[R:.*]]:2 = gemma.linear %[[X]], %[[Q]], %[[K]] : tensor<?x64xf32>, !quantized.tensor<64x64, q4_0>, !quantized.tensor<32x64, f32> -> tensor<?x64xf32>, tensor<?x32xf32>
// CHECK-NEXT: %[[T:.*]] = gemma.rope %[[R]]#0, %[[A]]
// CHECK-NEXT: return %[[T]], %[[R]]#1
func.func @fuses(%x: tensor<?x64xf32>, %a: tensor<?x16xf32>, %wq: !quantized.tensor<64x64, q4_0>) -> (tensor<?x64xf32>, tensor<?x32xf32>) {
  %q = gemma.linear %x, %wq : tensor<?x64xf32>, !quantized.tensor<64x64, q4_0> -> tensor<?x64xf32>
  %t = gemma.rope %q, %a : tensor<?x64xf32>, tensor<?x16xf32>
  %wk = quantized.reference @k : !quantized.tensor<32x64, f32>
  %k = gemma.linear %x, %wk : tensor<?x64xf32>, !quantized.tensor<32x64, f32> -> tensor<?x32xf32>
  return %t, %k : tensor<?x64xf32>, tensor<?x32xf32>
}

// Must not fire: the linears read different rows.
// REMARK-DAG: [Missed] FuseQkv{{.*}}no other linear reads its input
// REMARK-DAG: [Missed] FuseQkv{{.*}}no other linear reads its input
// CHECK-LABEL: func.func @keeps_two_inputs
// CHECK-COUNT-2: gemma.linear %arg{{[01]}}, %arg2 :
func.func @keeps_two_inputs(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %w: !quantized.tensor<64x64, f32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  %k = gemma.linear %z, %w : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  return %q, %k : tensor<?x64xf32>, tensor<?x64xf32>
}

// Must not fire: one of them caps its result.
// REMARK-DAG: [Missed] FuseQkv{{.*}}it is fused with something else
// REMARK-DAG: [Missed] FuseQkv{{.*}}no other linear reads its input
// CHECK-LABEL: func.func @keeps_a_capped_linear
// CHECK-COUNT-2: gemma.linear %arg0, %arg1
func.func @keeps_a_capped_linear(%x: tensor<?x64xf32>, %w: !quantized.tensor<64x64, f32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q = gemma.linear %x, %w {epilogue = #quantized.epilogue<softcap = 30.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  %k = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  return %q, %k : tensor<?x64xf32>, tensor<?x64xf32>
}

// Must not fire: the second weight is made between the linears, by an op that
// cannot move.
// REMARK-DAG: [Missed] FuseQkv{{.*}}a weight is computed between the linears
// CHECK-LABEL: func.func @keeps_a_computed_weight
// CHECK-COUNT-2: gemma.linear %arg0
func.func @keeps_a_computed_weight(%x: tensor<?x64xf32>, %w: !quantized.tensor<64x64, f32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  %m = func.call @make_weight() : () -> !quantized.tensor<64x64, f32>
  %k = gemma.linear %x, %m : tensor<?x64xf32>, !quantized.tensor<64x64, f32> -> tensor<?x64xf32>
  return %q, %k : tensor<?x64xf32>, tensor<?x64xf32>
}
func.func private @make_weight() -> !quantized.tensor<64x64, f32>
