// RUN: gemmac-opt %s --gemmac-plan-weights | FileCheck %s

// The order is decode's: the table's entries by the calls, each packed matrix
// 4096 bytes. A table that is only gathered from comes last, and a weight that
// nothing uses must not be stored.
// CHECK-NOT: @unused
// CHECK-DAG: quantized.weight @w1 {{.*}}packed_offset = 0 : i64
// CHECK-DAG: quantized.weight @w0 {{.*}}packed_offset = 4096 : i64
// CHECK-DAG: quantized.weight @e {{.*}}packed_offset = 8192 : i64
// CHECK: kernel.model {{.*}}weight_bytes = 12288
quantized.weight @unused : !quantized.tensor<32x32, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 4096 : i64, source_format = "f32"}
quantized.weight @e : !quantized.tensor<32x32, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 4096 : i64, source_format = "f32"}
quantized.weight @w0 : !quantized.tensor<32x32, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 4096 : i64, source_format = "f32"}
quantized.weight @w1 : !quantized.tensor<32x32, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 4096 : i64, source_format = "f32"}
quantized.weight_table @table [@w1, @w0] : !quantized.tensor<32x32, f32>
func.func private @decode(%step: !kernel.step, %x: memref<?x32xf32>) {
  %n = kernel.row_count %step
  %e = quantized.reference @e : !quantized.tensor<32x32, f32>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.embed_row %step, %e, %x[%t] {scale = 1.0 : f32} : !quantized.tensor<32x32, f32>, memref<?x32xf32>
  }
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  call @layer(%step, %x, %c0, %c0) : (!kernel.step, memref<?x32xf32>, index, index) -> ()
  call @layer(%step, %x, %c1, %c1) : (!kernel.step, memref<?x32xf32>, index, index) -> ()
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
kernel.model @gemma_model_m {decode = @decode, batch = @decode, prefill = @decode, head = @decode, batch_rows = 8 : i64, prefill_rows = 4 : i64, head_rows = 4 : i64, vocabulary = 64 : i64, width = 32 : i64, context = 128 : i64, kv_slots = 0 : i64, kv_layers = []}
