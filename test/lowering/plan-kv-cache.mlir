// RUN: gemmac-opt %s --gemmac-plan-kv-cache="prefill-rows=100 kv-format=f32" | FileCheck %s

// Sliding, window 200, 100 rows a call: 299 positions, 3 blocks. Full: all of
// 1000 positions, 8 blocks. 2 · 128 · 32 elements of 4 bytes a block. A window
// beyond the context (layer 2) must not get more than a full layer.
// CHECK: kernel.context = 1000
// CHECK-SAME: kernel.kv_format = "f32"
// CHECK-SAME: {block_bytes = 32768 : i64, first_slot = 0 : i64, ring_blocks = 3 : i64, window = 200 : i64}
// CHECK-SAME: {block_bytes = 32768 : i64, first_slot = 3 : i64, ring_blocks = 8 : i64, window = 0 : i64}
// CHECK-SAME: {block_bytes = 32768 : i64, first_slot = 11 : i64, ring_blocks = 8 : i64, window = 5000 : i64}
// CHECK-SAME: kernel.kv_slots = 19
module attributes {gemma.model = {context = 1000 : i64}} {
func.func private @sliding(%x: tensor<?x32xf32>, %p: tensor<?xi32>, %i: index, %l: index) -> tensor<?x32xf32> attributes {gemma.layer_kind = 0 : i64} {
  %o = gemma.attention %x, %x, %x, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 200 : i64} : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}
func.func private @full(%x: tensor<?x32xf32>, %p: tensor<?xi32>, %i: index, %l: index) -> tensor<?x32xf32> attributes {gemma.layer_kind = 0 : i64} {
  %o = gemma.attention %x, %x, %x, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}
func.func private @wide(%x: tensor<?x32xf32>, %p: tensor<?xi32>, %i: index, %l: index) -> tensor<?x32xf32> attributes {gemma.layer_kind = 0 : i64} {
  %o = gemma.attention %x, %x, %x, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 5000 : i64} : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}
func.func @forward(%x: tensor<?x32xf32>, %p: tensor<?xi32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = call @sliding(%x, %p, %c0, %c0) : (tensor<?x32xf32>, tensor<?xi32>, index, index) -> tensor<?x32xf32>
  %b = call @full(%a, %p, %c0, %c1) : (tensor<?x32xf32>, tensor<?xi32>, index, index) -> tensor<?x32xf32>
  %c = call @wide(%b, %p, %c0, %c2) : (tensor<?x32xf32>, tensor<?xi32>, index, index) -> tensor<?x32xf32>
  return %c : tensor<?x32xf32>
}
}
