// RUN: gemmac-opt %s --split-input-file --verify-diagnostics

func.func @phase_c1_count(%step: !kernel.step, %n: index) {
  // expected-error @+1 {{phase_c1: expected one region a tile count, found 1 regions for 2 counts}}
  kernel.phase %step tiles(%n, %n) {
  ^bb0(%t: index):
  }
  return
}

// -----

func.func @phase_c1_argument(%step: !kernel.step, %n: index) {
  // expected-error @+1 {{phase_c1: expected one index argument a region}}
  kernel.phase %step tiles(%n) {
  ^bb0(%t: i32):
  }
  return
}

// -----

func.func @arena_c1_alignment(%step: !kernel.step) {
  // expected-error @+1 {{arena_c1: expected a multiple of 64, found 100}}
  %a = kernel.arena %step at 100 : memref<?x64xf32>
  return
}

// -----

func.func @arena_c1_sign(%step: !kernel.step) {
  // expected-error @+1 {{arena_c1: expected a multiple of 64, found -64}}
  %a = kernel.arena %step at -64 : memref<?x64xf32>
  return
}

// -----

// Codes want their own row of bytes: 64 codes, scales and sums.
func.func @matmul_tile_c1_codes(%w: !quantized.tensor<96x64, q5_0>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c1: expected i8 input of 128 columns for '!quantized.tensor<96x64, q5_0>', found 'memref<?x64xf32>'}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, q5_0>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c1_floats(%w: !quantized.tensor<96x64, f32>, %x: memref<?x128xi8>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c1: expected f32 input of 64 columns}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, f32>, memref<?x128xi8>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c1_out(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x80xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c1: expected output of 96 columns, found 80}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x80xf32>
  return
}

// -----

func.func @matmul_tile_c2(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c2: expected positive chunk_rows and row_blocks}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 0 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c3(%w: !quantized.tensor<96x64, f32>, %u: !quantized.tensor<80x64, f32>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c3: expected a twin of '!quantized.tensor<96x64, f32>'}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %u {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32> geglu !quantized.tensor<80x64, f32>
  return
}

// -----

func.func @end_outside_a_phase() {
  // expected-error @+1 {{expects parent op 'kernel.phase'}}
  kernel.end
}
