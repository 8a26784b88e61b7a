// RUN: gemmac-opt %s --gemmac-fuse-rope | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-rope --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseRope
// REMARK-SAME: rotates and normalises its heads
// CHECK-LABEL: func.func @fuses_with_norms
// CHECK-SAME: %[[Q:[^:]*]]: tensor<?x64xf32>, %[[K:[^:]*]]: tensor<?x32xf32>, %[[P:[^:]*]]: tensor<?xi32>, %[[A:[^:]*]]: tensor<?x16xf32>, %[[GQ:[^:]*]]: !quantized.tensor<16, f32>, %[[GK:[^:]*]]: !quantized.tensor<16, f32>
// CHECK-NEXT: gemma.attention %[[Q]], %[[K]], %[[K]], %[[P]] rope %[[A]] norm %[[GQ]], %[[GK]]
// CHECK-NEXT: return
func.func @fuses_with_norms(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %p: tensor<?xi32>, %a: tensor<?x16xf32>, %gq: !quantized.tensor<16, f32>, %gk: !quantized.tensor<16, f32>) -> tensor<?x64xf32> {
  %nq = gemma.rms_norm %q, %gq {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<16, f32>
  %nk = gemma.rms_norm %k, %gk {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x32xf32>, !quantized.tensor<16, f32>
  %rq = gemma.rope %nq, %a : tensor<?x64xf32>, tensor<?x16xf32>
  %rk = gemma.rope %nk, %a : tensor<?x32xf32>, tensor<?x16xf32>
  %o = gemma.attention %rq, %rk, %k, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x64xf32>
}

// One norm alone stays in front.
// REMARK: [Missed] FuseRope
// REMARK-SAME: query and key are not normalised alike
// REMARK: [Passed] FuseRope
// REMARK-SAME: rotates its heads
// CHECK-LABEL: func.func @fuses_without_a_lone_norm
// CHECK-NEXT: %[[N:.*]] = gemma.rms_norm %arg0
// CHECK-NEXT: gemma.attention %[[N]], %arg1, %arg1, %arg2 rope %arg3 {
func.func @fuses_without_a_lone_norm(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %p: tensor<?xi32>, %a: tensor<?x16xf32>, %gq: !quantized.tensor<16, f32>) -> tensor<?x64xf32> {
  %nq = gemma.rms_norm %q, %gq {norm = #quantized.norm<eps = 1.0e-6 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<16, f32>
  %rq = gemma.rope %nq, %a : tensor<?x64xf32>, tensor<?x16xf32>
  %rk = gemma.rope %k, %a : tensor<?x32xf32>, tensor<?x16xf32>
  %o = gemma.attention %rq, %rk, %k, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x64xf32>
}

// Must not fire: two angles, and a rotated key that something else reads.
// REMARK: [Missed] FuseRope
// REMARK-SAME: query and key are not rotated by the same angles
// REMARK: [Missed] FuseRope
// REMARK-SAME: query or key is no rope that only the attention reads
// CHECK-LABEL: func.func @keeps_other_rotations
// CHECK-COUNT-3: gemma.rope
func.func @keeps_other_rotations(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %p: tensor<?xi32>, %a: tensor<?x16xf32>, %b: tensor<?x16xf32>) -> (tensor<?x64xf32>, tensor<?x32xf32>) {
  %rq = gemma.rope %q, %a : tensor<?x64xf32>, tensor<?x16xf32>
  %rk = gemma.rope %k, %b : tensor<?x32xf32>, tensor<?x16xf32>
  %o = gemma.attention %rq, %rk, %k, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  %sk = gemma.rope %k, %a : tensor<?x32xf32>, tensor<?x16xf32>
  %u = gemma.attention %o, %sk, %sk, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %u, %sk : tensor<?x64xf32>, tensor<?x32xf32>
}
