// RUN: gemmac-opt %s --gemmac-lower-to-kernel="prefill-rows=16 kernel-name=tiny" --split-input-file --verify-diagnostics | FileCheck %s

// Every entry point has its own functions. Calls of few rows share a row's
// blocks and fold them; prefill gives each tile a whole row. The last layer
// writes the hidden rows, the head reads the wanted ones.
// CHECK-LABEL: func.func private @decode
// CHECK: %[[H:.*]] = kernel.hidden
// CHECK: kernel.embed_row
// CHECK: kernel.call_layer @layer_0_decode(%arg0, %{{.*}}, %[[H]]) layer %{{.*}} index %{{.*}} cache
// CHECK-LABEL: func.func private @layer_0_decode
// CHECK: kernel.matmul_tile {{.*}} {chunk_rows = 1 : i64
// CHECK: kernel.kv_store_row
// CHECK: kernel.attention_block
// CHECK: kernel.attention_fold_row
// CHECK-LABEL: func.func private @layer_0_batch
// CHECK: kernel.matmul_tile {{.*}} {chunk_rows = 8 : i64
// CHECK-LABEL: func.func private @layer_0_prefill
// CHECK: kernel.matmul_tile {{.*}} {chunk_rows = 16 : i64
// CHECK-NOT: kernel.attention_block
// CHECK: kernel.attention_tile
// CHECK-LABEL: func.func private @head
// CHECK: kernel.wanted_row
// CHECK: kernel.copy_row
// CHECK: kernel.matmul_tile {{.*}} : <64x32, f32>
// CHECK: kernel.model @gemma_model_tiny
// CHECK-NOT: @forward
module attributes {gemma.model = #gemma.sizes<architecture = "test", vocabulary = 64, width = 32, layers = 2, heads = 2, kv_heads = 2, head_dim = 16, ffn = 32, positions = 1000>, kernel.kv_plan = #kernel.kv_plan<format = bf16, positions = 1000, slots = 1, layers = [<first_slot = 0, ring_blocks = 1, window = 5, block_bytes = 16384>]>} {
  quantized.weight @e : !quantized.tensor<64x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 8192, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  quantized.weight @w0 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  quantized.weight_table @layer_0.w0 [@w0] : !quantized.tensor<32x32, f32>
  func.func private @layer_0(%arg0: tensor<?x32xf32>, %arg1: tensor<?xi32>, %arg2: index, %arg3: index) -> tensor<?x32xf32> attributes {gemma.layer_kind = 0 : i64} {
    %0 = quantized.reference @layer_0.w0[%arg2] : <32x32, f32>
    %1 = gemma.linear %arg0, %0 : tensor<?x32xf32>, !quantized.tensor<32x32, f32> -> tensor<?x32xf32>
    %2 = gemma.attention %1, %arg0, %arg0, %arg1 {head_dim = 16 : i64, scale = 2.500000e-01 : f32, softcap = 0.000000e+00 : f32, window = 5 : i64} : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
    %3 = gemma.add %arg0, %2 : tensor<?x32xf32>
    return %3 : tensor<?x32xf32>
  }
  func.func @forward(%arg0: tensor<?xi32>, %arg1: tensor<?xi32>) -> tensor<?x64xf32> {
    %0 = quantized.reference @e : <64x32, f32>
    %1 = gemma.embed %arg0, %0 {scale = 2.000000e+00 : f32} : tensor<?xi32>, !quantized.tensor<64x32, f32> -> tensor<?x32xf32>
    %c0 = arith.constant 0 : index
    %c0_0 = arith.constant 0 : index
    %2 = kernel.call_layer @layer_0(%1, %arg1) layer %c0_0 index %c0 cache %c0_0 : (tensor<?x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>
    %4 = gemma.wanted_rows %2 : tensor<?x32xf32>
    %5 = gemma.linear %4, %0 : tensor<?x32xf32>, !quantized.tensor<64x32, f32> -> tensor<?x64xf32>
    return %5 : tensor<?x64xf32>
  }
}

// -----

// A head with an arg-max has an entry point for each: one writes logits, the
// other a pair a tile, of which a phase makes the row's.
// CHECK-LABEL: func.func private @head
// CHECK: %[[L:.*]] = kernel.logits %{{.*}} : memref<?x2048xf32>
// CHECK: kernel.matmul_tile %{{.*}}, %{{.*}}, %[[L]][
// CHECK-NOT: kernel.arg_max_row
// CHECK-LABEL: func.func private @arg_max
// CHECK: %[[O:.*]] = kernel.logits %{{.*}} : memref<?x2xf32>
// CHECK: %[[P:.*]] = kernel.alloc %{{.*}} : memref<?x128xf32>
// CHECK: kernel.matmul_tile %{{.*}}, %{{.*}}, %[[P]][{{.*}} {chunk_rows = 32 : i64, epilogue = #quantized.epilogue<arg_max>, row_blocks = 2
// CHECK: kernel.arg_max_row %[[P]], %[[O]][
// CHECK: kernel.model {{.*}}arg_max = @arg_max
module attributes {gemma.model = #gemma.sizes<architecture = "test", vocabulary = 2048, width = 32, layers = 0, heads = 2, kv_heads = 2, head_dim = 16, ffn = 32, positions = 1000>, kernel.kv_plan = #kernel.kv_plan<format = bf16, positions = 1000, slots = 0>} {
  quantized.weight @e : !quantized.tensor<2048x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 262144, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  func.func @forward(%arg0: tensor<?xi32>, %arg1: tensor<?xi32>) -> (tensor<?x2048xf32>, tensor<?x2xf32>) {
    %0 = quantized.reference @e : <2048x32, f32>
    %1 = gemma.embed %arg0, %0 {scale = 2.000000e+00 : f32} : tensor<?xi32>, !quantized.tensor<2048x32, f32> -> tensor<?x32xf32>
    %4 = gemma.wanted_rows %1 : tensor<?x32xf32>
    %5:2 = gemma.linear %4, %0 {epilogue = #quantized.epilogue<arg_max>} : tensor<?x32xf32>, !quantized.tensor<2048x32, f32> -> tensor<?x2048xf32>, tensor<?x2xf32>
    return %5#0, %5#1 : tensor<?x2048xf32>, tensor<?x2xf32>
  }
}

// -----

// Must not fire: without a planned cache there is nothing to store keys in.
// expected-error @+1 {{expected @forward with gemma.wanted_rows, gemma.model and a planned kv cache}}
module {
}
