// RUN: gemmac-opt %s --gemmac-fuse-residual-norm | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-residual-norm --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The norm may stand on either side of the sum.
// REMARK: [Passed] FuseResidualNorm
// REMARK: [Passed] FuseResidualNorm
// CHECK-LABEL: func.func @fuses
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x64xf32>, %[[R:[^:]*]]: tensor<?x64xf32>
// CHECK-NEXT: %[[Y:.*]] = gemma.rms_norm %[[X]], %{{.*}} residual %[[R]] : tensor<?x64xf32>
// CHECK-NEXT: %[[Z:.*]] = gemma.rms_norm %[[R]], %{{.*}} residual %[[Y]] : tensor<?x64xf32>
// CHECK-NEXT: return %[[Z]]
func.func @fuses(%x: tensor<?x64xf32>, %r: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>) -> tensor<?x64xf32> {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %y = gemma.add %r, %n : tensor<?x64xf32>
  %m = gemma.rms_norm %r, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %z = gemma.add %m, %y : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// Must not fire: the normalised rows have a second reader.
// REMARK: [Missed] FuseResidualNorm
// REMARK-SAME: no side is a norm that only the sum reads
// CHECK-LABEL: func.func @keeps_a_shared_norm
// CHECK: gemma.add
func.func @keeps_a_shared_norm(%x: tensor<?x64xf32>, %r: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %n = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  %y = gemma.add %r, %n : tensor<?x64xf32>
  return %y, %n : tensor<?x64xf32>, tensor<?x64xf32>
}
