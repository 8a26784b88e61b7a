// RUN: gemmac-opt %s --gemmac-quantize-tiles | FileCheck %s
// RUN: gemmac-opt %s --gemmac-quantize-tiles --remarks-filter=lowering 2>&1 | FileCheck %s --check-prefix=REMARK

// The codes are written where the products are finished; the floats go.
// CHECK-LABEL: func.func @gated
// CHECK-NOT: memref<?x64xf32>
// CHECK: %[[CODES:.*]] = kernel.alloc %{{.*}} : memref<?x128xi8>
// CHECK: kernel.matmul_tile %{{.*}}, %{{.*}}, %[[CODES]][%{{.*}}] rows %{{.*}} geglu
// CHECK-NOT: kernel.quantize_row
// CHECK: return
func.func @gated(%step: !kernel.step, %w: !quantized.tensor<64x32, q8_0>, %u: !quantized.tensor<64x32, q8_0>, %x: memref<?x64xi8>) {
  %n = kernel.row_count %step
  %y = kernel.alloc %step : memref<?x64xf32>
  %tiles = kernel.matmul_tiles %n {weight_rows = 64 : i64, chunk_rows = 8 : i64, row_blocks = 2 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n geglu %u {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 2 : i64} : !quantized.tensor<64x32, q8_0>, memref<?x64xi8>, memref<?x64xf32> geglu !quantized.tensor<64x32, q8_0>
  }
  %q = kernel.alloc %step : memref<?x128xi8>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.quantize_row %y, %q[%t] : memref<?x64xf32>, memref<?x128xi8>
  }
  return
}

// Must not fire: the floats have another reader.
// REMARK: remark: [Missed] QuantizeTiles{{.*}}no gated matmul writes its input for it alone
// CHECK-LABEL: func.func @keeps_what_another_reads
// CHECK: kernel.quantize_row
func.func @keeps_what_another_reads(%step: !kernel.step, %w: !quantized.tensor<64x32, q8_0>, %u: !quantized.tensor<64x32, q8_0>, %x: memref<?x64xi8>, %z: memref<?x64xf32>) {
  %n = kernel.row_count %step
  %y = kernel.alloc %step : memref<?x64xf32>
  %q = kernel.alloc %step : memref<?x128xi8>
  %tiles = kernel.matmul_tiles %n {weight_rows = 64 : i64, chunk_rows = 8 : i64, row_blocks = 2 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n geglu %u {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 2 : i64} : !quantized.tensor<64x32, q8_0>, memref<?x64xi8>, memref<?x64xf32> geglu !quantized.tensor<64x32, q8_0>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.quantize_row %y, %q[%t] : memref<?x64xf32>, memref<?x128xi8>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %y, %y, %z[%t] : memref<?x64xf32>
  }
  return
}

// Must not fire: a norm needs the whole row, a tile has a part of it.
// REMARK: remark: [Missed] QuantizeTiles{{.*}}it normalises, which needs the whole row
// CHECK-LABEL: func.func @keeps_a_norm
// CHECK: kernel.quantize_row
func.func @keeps_a_norm(%step: !kernel.step, %w: !quantized.tensor<64x32, q8_0>, %u: !quantized.tensor<64x32, q8_0>, %x: memref<?x64xi8>, %g: !quantized.tensor<64, f32>) {
  %n = kernel.row_count %step
  %y = kernel.alloc %step : memref<?x64xf32>
  %q = kernel.alloc %step : memref<?x128xi8>
  %tiles = kernel.matmul_tiles %n {weight_rows = 64 : i64, chunk_rows = 8 : i64, row_blocks = 2 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n geglu %u {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 2 : i64} : !quantized.tensor<64x32, q8_0>, memref<?x64xi8>, memref<?x64xf32> geglu !quantized.tensor<64x32, q8_0>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.quantize_row %y, %q[%t] norm %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : memref<?x64xf32>, memref<?x128xi8> norm !quantized.tensor<64, f32>
  }
  return
}
