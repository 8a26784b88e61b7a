// RUN: gemmac-opt %s --gemmac-plan-phases | FileCheck %s

// Row operations of one count share a tile body; their barrier goes.
// CHECK-LABEL: func.func @rows
// CHECK: kernel.phase
// CHECK: kernel.add_row
// CHECK-NEXT: kernel.add_row
// CHECK-NOT: kernel.phase
func.func @rows(%step: !kernel.step, %x: memref<?x32xf32>, %y: memref<?x32xf32>, %z: memref<?x32xf32>) {
  %n = kernel.row_count %step
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %x, %x, %y[%t] : memref<?x32xf32>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %y, %x, %z[%t] : memref<?x32xf32>
  }
  return
}

// Matmuls that do not depend on each other become segments of one phase. What
// reads their result (the third) must not join them.
// CHECK-LABEL: func.func @matmuls
// CHECK: kernel.phase %{{.*}} tiles(%{{[^,]*}}, %{{[^,]*}}) {
// CHECK: kernel.phase %{{.*}} tiles(%{{[^,]*}}) {
func.func @matmuls(%step: !kernel.step, %w: !quantized.tensor<32x32, f32>, %x: memref<?x32xf32>, %y: memref<?x32xf32>, %z: memref<?x32xf32>, %u: memref<?x32xf32>) {
  %n = kernel.row_count %step
  %tiles = kernel.matmul_tiles %n {weight_rows = 32 : i64, chunk_rows = 1 : i64, row_blocks = 1 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n {chunk_rows = 1 : i64, row_blocks = 1 : i64} : !quantized.tensor<32x32, f32>, memref<?x32xf32>, memref<?x32xf32>
  }
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %z[%t] rows %n {chunk_rows = 1 : i64, row_blocks = 1 : i64} : !quantized.tensor<32x32, f32>, memref<?x32xf32>, memref<?x32xf32>
  }
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %y, %u[%t] rows %n {chunk_rows = 1 : i64, row_blocks = 1 : i64} : !quantized.tensor<32x32, f32>, memref<?x32xf32>, memref<?x32xf32>
  }
  return
}

// No buffer stands for the kv cache: attention must still stay behind the
// barrier of the store that it reads.
// CHECK-LABEL: func.func @cache
// CHECK: kernel.kv_store_row
// CHECK: }
// CHECK: kernel.phase
// CHECK: kernel.attention_tile
func.func @cache(%step: !kernel.step, %k: memref<?x32xf32>, %q: memref<?x32xf32>, %o: memref<?x32xf32>, %l: index) {
  %n = kernel.row_count %step
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.kv_store_row %step, %k, %k[%t] cache %l {head_dim = 32 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x32xf32>, memref<?x32xf32>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.attention_tile %step, %q, %o[%t] cache %l {head_dim = 32 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x32xf32>, memref<?x32xf32>
  }
  return
}
