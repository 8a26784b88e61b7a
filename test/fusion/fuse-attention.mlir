// RUN: gemmac-opt %s --gemmac-fuse-attention | FileCheck %s
// RUN: gemmac-opt %s --gemmac-fuse-attention --remarks-filter=fusion -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The chain of one layer becomes one op that keeps scale, window and cap.
// REMARK: [Passed] FuseAttention
// CHECK-LABEL: func.func @fuses
// CHECK-NOT: gemma.softmax
// CHECK: gemma.attention %arg0, %arg1, %arg2, %arg3 {head_dim = 16 : i64, scale = 2.500000e-01 : f32, softcap = 5.000000e+01 : f32, window = 5 : i64}
func.func @fuses(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>, %p: tensor<?xi32>) -> tensor<?x64xf32> {
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 0.25 : f32} : tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x4x?xf32>
  %c = gemma.softcap %s {cap = 50.0 : f32} : tensor<?x4x?xf32>
  %m = gemma.mask %c, %p {window = 5 : i64} : tensor<?x4x?xf32>, tensor<?xi32>
  %w = gemma.softmax %m : tensor<?x4x?xf32>
  %o = gemma.attention_values %w, %v : tensor<?x4x?xf32>, tensor<?x32xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// Must not fire: the probabilities have a second user.
// REMARK: [Missed] FuseAttention
// REMARK-SAME: something else reads the result of gemma.softmax
// CHECK-LABEL: func.func @keeps_shared_probabilities
// CHECK: gemma.softmax
// CHECK-NOT: gemma.attention %
func.func @keeps_shared_probabilities(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>, %p: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x4x?xf32>) {
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 0.25 : f32} : tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x4x?xf32>
  %m = gemma.mask %s, %p {window = 0 : i64} : tensor<?x4x?xf32>, tensor<?xi32>
  %w = gemma.softmax %m : tensor<?x4x?xf32>
  %o = gemma.attention_values %w, %v : tensor<?x4x?xf32>, tensor<?x32xf32> -> tensor<?x64xf32>
  return %o, %w : tensor<?x64xf32>, tensor<?x4x?xf32>
}

// Must not fire: without a mask a row would see what comes behind it.
// REMARK: [Missed] FuseAttention
// REMARK-SAME: the softmax's input is no mask
// CHECK-LABEL: func.func @keeps_unmasked_scores
// CHECK: gemma.softmax
// CHECK-NOT: gemma.attention %
func.func @keeps_unmasked_scores(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 0.25 : f32} : tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x4x?xf32>
  %w = gemma.softmax %s : tensor<?x4x?xf32>
  %o = gemma.attention_values %w, %v : tensor<?x4x?xf32>, tensor<?x32xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}
