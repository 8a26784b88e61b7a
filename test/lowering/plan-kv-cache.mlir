// RUN: gemmac-opt %s --gemmac-plan-kv-cache="prefill-rows=100 kv-format=f32" | FileCheck %s

// Sliding, window 200, 100 rows a call: 299 positions, 3 blocks. Full: all of
// 1000 positions, 8 blocks. 2 · 128 · 32 elements of 4 bytes a block. A window
// beyond the context (layer 2) must not get more than a full layer.
// CHECK: kernel.kv_plan = #kernel.kv_plan<format = f32, positions = 1000, slots = 19
// CHECK-SAME: <first_slot = 0, ring_blocks = 3, window = 200, block_bytes = 32768>
// CHECK-SAME: <first_slot = 3, ring_blocks = 8, window = 0, block_bytes = 32768>
// CHECK-SAME: <first_slot = 11, ring_blocks = 8, window = 5000, block_bytes = 32768>
module attributes {gemma.model = #gemma.sizes<architecture = "test", vocabulary = 64, width = 32, layers = 3, heads = 2, kv_heads = 2, head_dim = 16, ffn = 32, positions = 1000>} {
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
  %a = kernel.call_layer @sliding(%x, %p) layer %c0 index %c0 cache %c0 : (tensor<?x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>
  %b = kernel.call_layer @full(%a, %p) layer %c1 index %c0 cache %c1 : (tensor<?x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>
  %c = kernel.call_layer @wide(%b, %p) layer %c2 index %c0 cache %c2 : (tensor<?x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>
  return %c : tensor<?x32xf32>
}
}
