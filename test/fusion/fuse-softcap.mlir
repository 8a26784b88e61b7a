// RUN: gemmac-opt %s --gemmac-fuse-softcap | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-softcap --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseSoftcap
// CHECK-LABEL: func.func @fuses
// CHECK-NEXT: gemma.linear %arg0, %arg1 {epilogue = #quantized.epilogue<softcap = 3.000000e+01 : f32>}
// CHECK-NEXT: return
func.func @fuses(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) -> tensor<?x96xf32> {
  %y = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %z = gemma.softcap %y {cap = 30.0 : f32} : tensor<?x96xf32>
  return %z : tensor<?x96xf32>
}

// Must not fire: the uncapped rows are read elsewhere, and a cap of a cap.
// REMARK: [Missed] FuseSoftcap
// REMARK-SAME: its input is no plain linear that only it reads
// REMARK: [Missed] FuseSoftcap
// REMARK-SAME: its input is no plain linear that only it reads
// CHECK-LABEL: func.func @keeps_what_is_read_twice
// CHECK: gemma.softcap
// CHECK: gemma.softcap
func.func @keeps_what_is_read_twice(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  %y = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  %z = gemma.softcap %y {cap = 30.0 : f32} : tensor<?x96xf32>
  %c = gemma.softcap %z {cap = 20.0 : f32} : tensor<?x96xf32>
  return %c, %y : tensor<?x96xf32>, tensor<?x96xf32>
}
