// RUN: gemmac-opt %s --gemmac-plan-weights | FileCheck %s

// The order is decode's: the table's entries by the calls, each packed matrix
// 4096 bytes. A table that is only gathered from comes last, and a weight that
// nothing uses must not be stored.
// CHECK-NOT: @unused
// CHECK-DAG: quantized.weight @w1 {{.*}}packed_offset = 0 : i64
// CHECK-DAG: quantized.weight @w0 {{.*}}packed_offset = 4096 : i64
// CHECK-DAG: quantized.weight @e {{.*}}packed_offset = 8192 : i64
// CHECK: kernel.model {{.*}}weight_bytes = 12288
quantized.weight @unused : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @e : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @w0 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @w1 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight_table @table [@w1, @w0] : !quantized.tensor<32x32, f32>
func.func private @decode(%step: !kernel.step) {
  %x = kernel.alloc %step : memref<?x32xf32>
  %n = kernel.row_count %step
  %e = quantized.reference @e : !quantized.tensor<32x32, f32>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.embed_row %step, %e, %x[%t] {scale = 1.0 : f32} : !quantized.tensor<32x32, f32>, memref<?x32xf32>
  }
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  kernel.call_layer @layer(%step, %x) layer %c0 index %c0 cache %c0 : (!kernel.step, memref<?x32xf32>) -> ()
  kernel.call_layer @layer(%step, %x) layer %c1 index %c1 cache %c1 : (!kernel.step, memref<?x32xf32>) -> ()
  return
}
func.func private @layer(%step: !kernel.step, %x: memref<?x32xf32>, %i: index, %l: index) {
  %n = kernel.row_count %step
  %w = quantized.reference @table[%i] : !quantized.tensor<32x32, f32>
  %tiles = kernel.matmul_tiles %n {weight_rows = 32 : i64, chunk_rows = 1 : i64, row_blocks = 1 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %x[%t] rows %n {chunk_rows = 1 : i64, row_blocks = 1 : i64} : !quantized.tensor<32x32, f32>, memref<?x32xf32>, memref<?x32xf32>
  }
  return
}
kernel.model @gemma_model_m {decode = @decode, batch = @decode, prefill = @decode, head = @decode, batch_rows = 8 : i64, prefill_rows = 4 : i64, head_rows = 4 : i64, vocabulary = 64 : i64, width = 32 : i64, kv = #kernel.kv_plan<format = bf16, positions = 128, slots = 0>}
