// RUN: gemmac-opt %s | gemmac-opt | FileCheck %s
// RUN: gemmac-opt %s --mlir-print-op-generic | gemmac-opt | FileCheck %s

// CHECK-LABEL: func.func @control
func.func @control(%step: !kernel.step, %i: index) {
  // CHECK: %[[N:.*]] = kernel.row_count %[[STEP:.*]]
  %n = kernel.row_count %step
  // CHECK: kernel.wanted_count %[[STEP]]
  %c = kernel.wanted_count %step
  // CHECK: kernel.wanted_row %[[STEP]][%{{.*}}]
  %r = kernel.wanted_row %step[%i]
  // CHECK: %[[X:.*]] = kernel.alloc %[[STEP]] : memref<?x64xf32>
  %x = kernel.alloc %step : memref<?x64xf32>
  // CHECK: kernel.arena %[[STEP]] at 128 : memref<?x128xi8>
  %a = kernel.arena %step at 128 : memref<?x128xi8>
  // CHECK: kernel.hidden %[[STEP]] : memref<?x64xf32>
  %h = kernel.hidden %step : memref<?x64xf32>
  // CHECK: kernel.logits %[[STEP]] : memref<?x96xf32>
  %l = kernel.logits %step : memref<?x96xf32>
  // Two segments in one phase.
  // CHECK: kernel.phase %[[STEP]] tiles(%[[N]], %{{.*}}) {
  // CHECK-NEXT: ^bb0(%[[T:.*]]: index):
  // CHECK-NEXT: kernel.add_row %[[X]], %{{.*}}, %[[X]][%[[T]]] : memref<?x64xf32>
  // CHECK: }, {
  kernel.phase %step tiles(%n, %c) {
  ^bb0(%t: index):
    kernel.add_row %x, %h, %x[%t] : memref<?x64xf32>
  }, {
  ^bb0(%t: index):
    kernel.quantize_row %x, %a[%t] : memref<?x64xf32>, memref<?x128xi8>
  }
  return
}

// CHECK-LABEL: func.func @rows
func.func @rows(%step: !kernel.step, %w: !quantized.tensor<96x64, q8_0>, %g: !quantized.tensor<64, f32>, %x: memref<?x64xf32>, %a: memref<?x16xf32>, %q: memref<?x128xi8>, %r: index, %layer: index) {
  // CHECK: kernel.embed_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] {scale = 8.000000e+00 : f32} : <96x64, q8_0>, memref<?x64xf32>
  kernel.embed_row %step, %w, %x[%r] {scale = 8.0 : f32} : !quantized.tensor<96x64, q8_0>, memref<?x64xf32>
  // CHECK: kernel.rope_angles_row %{{.*}}, %{{.*}}[%{{.*}}] {factor = 1.000000e+00 : f64, theta = 1.000000e+04 : f64} : memref<?x16xf32>
  kernel.rope_angles_row %step, %a[%r] {theta = 1.0e+04 : f64, factor = 1.0 : f64} : memref<?x16xf32>
  // CHECK: kernel.rms_norm_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] {norm = #quantized.norm<eps = {{.*}} : f32, gain_offset = 0.000000e+00 : f32>} : memref<?x64xf32>, <64, f32>, memref<?x64xf32>
  kernel.rms_norm_row %x, %g, %x[%r] {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 0.0 : f32>} : memref<?x64xf32>, !quantized.tensor<64, f32>, memref<?x64xf32>
  // CHECK: kernel.quantize_row %{{.*}}, %{{.*}}[%{{.*}}] : memref<?x64xf32>, memref<?x128xi8>
  kernel.quantize_row %x, %q[%r] : memref<?x64xf32>, memref<?x128xi8>
  // CHECK: kernel.rope_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] : memref<?x64xf32>, memref<?x16xf32>, memref<?x64xf32>
  kernel.rope_row %x, %a, %x[%r] : memref<?x64xf32>, memref<?x16xf32>, memref<?x64xf32>
  // CHECK: kernel.kv_store_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] cache %{{.*}} {head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x16xf32>, memref<?x16xf32>
  kernel.kv_store_row %step, %a, %a[%r] cache %layer {head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x16xf32>, memref<?x16xf32>
  // CHECK: kernel.geglu_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] : memref<?x64xf32>
  kernel.geglu_row %x, %x, %x[%r] : memref<?x64xf32>
  // CHECK: kernel.softcap_row %{{.*}}, %{{.*}}[%{{.*}}] {cap = 3.000000e+01 : f32} : memref<?x64xf32>, memref<?x64xf32>
  kernel.softcap_row %x, %x[%r] {cap = 3.0e+01 : f32} : memref<?x64xf32>, memref<?x64xf32>
  // CHECK: kernel.copy_row %{{.*}}[%{{.*}}], %{{.*}}[%{{.*}}] : memref<?x64xf32>, memref<?x64xf32>
  kernel.copy_row %x[%r], %x[%r] : memref<?x64xf32>, memref<?x64xf32>
  return
}

// CHECK-LABEL: func.func @matmul
func.func @matmul(%w: !quantized.tensor<96x64, q5_0>, %f: !quantized.tensor<96x64, bf16>, %q: memref<?x128xi8>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %p: memref<?x4xf32>, %z: memref<?x2xf32>, %rows: index, %t: index) {
  // CHECK: kernel.matmul_tiles %{{.*}} {chunk_rows = 8 : i64, row_blocks = 1 : i64, weight_rows = 96 : i64}
  %n = kernel.matmul_tiles %rows {weight_rows = 96 : i64, chunk_rows = 8 : i64, row_blocks = 1 : i64}
  // CHECK: kernel.matmul_tile %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] rows %{{.*}} {chunk_rows = 8 : i64, row_blocks = 1 : i64} : <96x64, q5_0>, memref<?x128xi8>, memref<?x96xf32>
  kernel.matmul_tile %w, %q, %y[%t] rows %rows {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, q5_0>, memref<?x128xi8>, memref<?x96xf32>
  // CHECK: kernel.matmul_tile {{.*}} {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<arg_max>, row_blocks = 3 : i64} : <96x64, q5_0>, memref<?x128xi8>, memref<?x4xf32>
  kernel.matmul_tile %w, %q, %p[%t] rows %rows {chunk_rows = 8 : i64, row_blocks = 3 : i64, epilogue = #quantized.epilogue<arg_max>} : !quantized.tensor<96x64, q5_0>, memref<?x128xi8>, memref<?x4xf32>
  // CHECK: kernel.arg_max_row %{{.*}}, %{{.*}}[%{{.*}}] : memref<?x4xf32>, memref<?x2xf32>
  kernel.arg_max_row %p, %z[%t] : memref<?x4xf32>, memref<?x2xf32>
  // CHECK: kernel.matmul_tile {{.*}} : <96x64, bf16>, memref<?x64xf32>, memref<?x96xf32>
  kernel.matmul_tile %f, %x, %y[%t] rows %rows {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, bf16>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// Operations that fusion made: a norm, a rotation, a gate on the way.
// CHECK-LABEL: func.func @fused
func.func @fused(%step: !kernel.step, %w: !quantized.tensor<64x64, q5_0>, %u: !quantized.tensor<64x64, q4_0>, %g: !quantized.tensor<64, f32>, %h: !quantized.tensor<16, f32>, %q: memref<?x128xi8>, %x: memref<?x64xf32>, %a: memref<?x16xf32>, %t: index) {
  // CHECK: kernel.rms_norm_row {{.*}} : memref<?x64xf32>, <64, f32>, memref<?x64xf32> residual %{{.*}} : memref<?x64xf32>
  kernel.rms_norm_row %x, %g, %x[%t] {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 0.0 : f32>} : memref<?x64xf32>, !quantized.tensor<64, f32>, memref<?x64xf32> residual %x : memref<?x64xf32>
  // CHECK: kernel.quantize_row %{{.*}}, %{{.*}}[%{{.*}}] norm %{{.*}} {{.*}} norm !quantized.tensor<64, f32>
  kernel.quantize_row %x, %q[%t] norm %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 0.0 : f32>} : memref<?x64xf32>, memref<?x128xi8> norm !quantized.tensor<64, f32>
  // CHECK: kernel.rope_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] norm %{{.*}} {{.*}} norm !quantized.tensor<16, f32>
  kernel.rope_row %x, %a, %x[%t] norm %h {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 0.0 : f32>} : memref<?x64xf32>, memref<?x16xf32>, memref<?x64xf32> norm !quantized.tensor<16, f32>
  // CHECK: kernel.kv_store_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] cache %{{.*}} rope %{{.*}} norm %{{.*}} {{.*}} rope memref<?x16xf32> norm !quantized.tensor<16, f32>
  kernel.kv_store_row %step, %a, %a[%t] cache %t rope %a norm %h {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 0.0 : f32>, head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x16xf32>, memref<?x16xf32> rope memref<?x16xf32> norm !quantized.tensor<16, f32>
  // CHECK: kernel.matmul_tile %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] rows %{{.*}} geglu %{{.*}} {{.*}} geglu !quantized.tensor<64x64, q4_0>
  kernel.matmul_tile %w, %q, %x[%t] rows %t geglu %u {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 1 : i64} : !quantized.tensor<64x64, q5_0>, memref<?x128xi8>, memref<?x64xf32> geglu !quantized.tensor<64x64, q4_0>
  // CHECK: kernel.matmul_tile {{.*}}epilogue = #quantized.epilogue<softcap = 3.000000e+01 : f32>
  kernel.matmul_tile %w, %q, %x[%t] rows %t {chunk_rows = 8 : i64, row_blocks = 1 : i64, epilogue = #quantized.epilogue<softcap = 30.0 : f32>} : !quantized.tensor<64x64, q5_0>, memref<?x128xi8>, memref<?x64xf32>
  return
}

// CHECK-LABEL: func.func @attention
func.func @attention(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x512xf32>, %t: index, %layer: index) {
  // CHECK: kernel.attention_tile %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] cache %{{.*}} {head_dim = 16 : i64, kv_format = #kernel.kv_format<f32>, kv_heads = 1 : i64, scale = 2.500000e-01 : f32, softcap = 0.000000e+00 : f32, window = 512 : i64} : memref<?x64xf32>, memref<?x64xf32>
  kernel.attention_tile %step, %q, %q[%t] cache %layer {head_dim = 16 : i64, kv_heads = 1 : i64, scale = 2.5e-01 : f32, softcap = 0.0 : f32, window = 512 : i64, kv_format = #kernel.kv_format<f32>} : memref<?x64xf32>, memref<?x64xf32>
  // CHECK: kernel.attention_blocks %{{.*}} {window = 512 : i64}
  %b = kernel.attention_blocks %step {window = 512 : i64}
  // CHECK: kernel.attention_block %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}} of %{{.*}}] cache %{{.*}} {head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>, kv_heads = 1 : i64, max_blocks = 4 : i64, {{.*}}} : memref<?x64xf32>, memref<?x512xf32>
  kernel.attention_block %step, %q, %p[%t of %b] cache %layer {head_dim = 16 : i64, kv_heads = 1 : i64, max_blocks = 4 : i64, scale = 2.5e-01 : f32, softcap = 0.0 : f32, window = 512 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x64xf32>, memref<?x512xf32>
  // CHECK: kernel.attention_fold_row %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] {head_dim = 16 : i64, max_blocks = 4 : i64, window = 512 : i64} : memref<?x512xf32>, memref<?x64xf32>
  kernel.attention_fold_row %step, %p, %q[%t] {head_dim = 16 : i64, max_blocks = 4 : i64, window = 512 : i64} : memref<?x512xf32>, memref<?x64xf32>
  return
}

func.func private @step(!kernel.step)
// CHECK: kernel.model @gemma_model {{.*}}decode = @step{{.*}}head = @step{{.*}}kv = #kernel.kv_plan<format = bf16, positions = 1024, slots = 5, layers = [<first_slot = 0, ring_blocks = 5, window = 512, block_bytes = 8192>]>
kernel.model @gemma_model {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 1024, slots = 5, layers = [<first_slot = 0, ring_blocks = 5, window = 512, block_bytes = 8192>]>}

func.func private @layer(%x: memref<?x64xf32>, %i: index, %cache: index)
// CHECK-LABEL: func.func @call
func.func @call(%x: memref<?x64xf32>, %l: index, %i: index, %c: index) {
  // CHECK: kernel.call_layer @layer(%{{.*}}) layer %arg1 index %arg2 cache %arg3 : (memref<?x64xf32>) -> ()
  kernel.call_layer @layer(%x) layer %l index %i cache %c : (memref<?x64xf32>) -> ()
  return
}
