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

func.func @matmul_tile_c5(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x144xi8>, %i: index) {
  // expected-error @+1 {{matmul_tile_c5: expected codes of a gated pair of 32 n rows in an even number of row blocks, found '!quantized.tensor<96x64, f32>', row_blocks 3}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %w {chunk_rows = 1 : i64, row_blocks = 3 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x144xi8> geglu !quantized.tensor<96x64, f32>
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

// -----

// An array in place of the dictionary: the target reads fields by name.
// expected-error @+1 {{model_c1: expected a dictionary as entry 0 of kv_layers, found [0, 5, 512, 8192]}}
kernel.model @m {decode = @f, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, context = 128 : i64, kv_slots = 1 : i64, kv_layers = [[0, 5, 512, 8192]]}

// -----

// The second layer lacks its window.
// expected-error @+1 {{model_c1: expected an i64 'window' in entry 1 of kv_layers}}
kernel.model @m {decode = @f, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, context = 128 : i64, kv_slots = 1 : i64, kv_layers = [{first_slot = 0 : i64, ring_blocks = 1 : i64, window = 0 : i64, block_bytes = 64 : i64}, {first_slot = 0 : i64, ring_blocks = 1 : i64, block_bytes = 64 : i64}]}

// -----

// expected-error @+1 {{model_c1: expected an i64 'block_bytes' in entry 0 of kv_layers}}
kernel.model @m {decode = @f, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, context = 128 : i64, kv_slots = 1 : i64, kv_layers = [{first_slot = 0 : i64, ring_blocks = 1 : i64, window = 0 : i64, block_bytes = 64 : i32}]}

// -----

// expected-error @+1 {{model_c2: expected 'ring_blocks' of at least 1 in entry 0 of kv_layers, found 0}}
kernel.model @m {decode = @f, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, context = 128 : i64, kv_slots = 1 : i64, kv_layers = [{first_slot = 0 : i64, ring_blocks = 0 : i64, window = 0 : i64, block_bytes = 64 : i64}]}

// -----

// expected-error @+1 {{model_c2: expected 'first_slot' of at least 0 in entry 0 of kv_layers, found -1}}
kernel.model @m {decode = @f, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, context = 128 : i64, kv_slots = 1 : i64, kv_layers = [{first_slot = -1 : i64, ring_blocks = 1 : i64, window = 0 : i64, block_bytes = 64 : i64}]}

// -----

// Four heads of 16, four blocks: 4 x 4 x (16 + 16).
func.func @attention_block_c1(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x500xf32>, %i: index) {
  // expected-error @+1 {{attention_block_c1: expected partials of 512 columns, found 500}}
  kernel.attention_block %step, %q, %p[%i of %i] layer %i {head_dim = 16 : i64, kv_heads = 1 : i64, max_blocks = 4 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = "f32"} : memref<?x64xf32>, memref<?x500xf32>
  return
}

// -----

func.func @attention_block_c2_sizes(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x512xf32>, %i: index) {
  // expected-error @+1 {{attention_block_c2: expected positive head_dim, kv_heads and max_blocks, found 16, 1 and 0}}
  kernel.attention_block %step, %q, %p[%i of %i] layer %i {head_dim = 16 : i64, kv_heads = 1 : i64, max_blocks = 0 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = "f32"} : memref<?x64xf32>, memref<?x512xf32>
  return
}

// -----

// Three kv heads cannot share four query heads.
func.func @attention_block_c2_heads(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x512xf32>, %i: index) {
  // expected-error @+1 {{attention_block_c2: expected query columns that are a multiple of head_dim x kv_heads, found 64, 16 and 3}}
  kernel.attention_block %step, %q, %p[%i of %i] layer %i {head_dim = 16 : i64, kv_heads = 3 : i64, max_blocks = 4 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = "f32"} : memref<?x64xf32>, memref<?x512xf32>
  return
}

// -----

// Six blocks, two a tile: three pairs.
func.func @matmul_tile_c1_arg_max(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c1: expected output of 6 columns, found 96}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 2 : i64, arg_max} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c4(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x6xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c4: expected arg_max without geglu}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %w {chunk_rows = 8 : i64, row_blocks = 2 : i64, arg_max} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x6xf32> geglu !quantized.tensor<96x64, f32>
  return
}

// -----

func.func @arg_max_row_c1(%x: memref<?x5xf32>, %y: memref<?x2xf32>, %i: index) {
  // expected-error @+1 {{arg_max_row_c1: expected pairs and output of 2 columns, found 5 and 2 columns}}
  kernel.arg_max_row %x, %y[%i] : memref<?x5xf32>, memref<?x2xf32>
  return
}
