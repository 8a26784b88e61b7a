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

func.func @arena_alignment(%step: !kernel.step) {
  // expected-error @+1 {{attribute 'offset' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative that is a multiple of 64}}
  %a = kernel.arena %step at 100 : memref<?x64xf32>
  return
}

// -----

func.func @arena_sign(%step: !kernel.step) {
  // expected-error @+1 {{attribute 'offset' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
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
  // expected-error @+1 {{attribute 'row_blocks' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 0 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c4(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x144xi8>, %i: index) {
  // expected-error @+1 {{matmul_tile_c4: expected codes of a gated pair of 32 n rows in an even number of row blocks, found '!quantized.tensor<96x64, f32>', row_blocks 3}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %w {chunk_rows = 1 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 3 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x144xi8> geglu !quantized.tensor<96x64, f32>
  return
}

// -----

func.func @matmul_tile_c2(%w: !quantized.tensor<96x64, f32>, %u: !quantized.tensor<80x64, f32>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c2: expected a twin of '!quantized.tensor<96x64, f32>'}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %u {chunk_rows = 8 : i64, epilogue = #quantized.epilogue<geglu>, row_blocks = 1 : i64} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32> geglu !quantized.tensor<80x64, f32>
  return
}

// -----

func.func @end_outside_a_phase() {
  // expected-error @+1 {{expects parent op 'kernel.phase'}}
  kernel.end
}

// -----

// Four heads of 16, four blocks: 4 x 4 x (16 + 16).
func.func @attention_block_c1(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x500xf32>, %i: index) {
  // expected-error @+1 {{attention_block_c1: expected partials of 512 columns, found 500}}
  kernel.attention_block %step, %q, %p[%i of %i] cache %i {head_dim = 16 : i64, kv_heads = 1 : i64, max_blocks = 4 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = #kernel.kv_format<f32>} : memref<?x64xf32>, memref<?x500xf32>
  return
}

// -----

func.func @attention_block_c2_sizes(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x512xf32>, %i: index) {
  // expected-error @+1 {{attribute 'max_blocks' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  kernel.attention_block %step, %q, %p[%i of %i] cache %i {head_dim = 16 : i64, kv_heads = 1 : i64, max_blocks = 0 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = #kernel.kv_format<f32>} : memref<?x64xf32>, memref<?x512xf32>
  return
}

// -----

// Three kv heads cannot share four query heads.
func.func @attention_block_c2_heads(%step: !kernel.step, %q: memref<?x64xf32>, %p: memref<?x512xf32>, %i: index) {
  // expected-error @+1 {{attention_block_c2: expected query columns that are a multiple of head_dim x kv_heads, found 64, 16 and 3}}
  kernel.attention_block %step, %q, %p[%i of %i] cache %i {head_dim = 16 : i64, kv_heads = 3 : i64, max_blocks = 4 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = #kernel.kv_format<f32>} : memref<?x64xf32>, memref<?x512xf32>
  return
}

// -----

// Six blocks, two a tile: three pairs.
func.func @matmul_tile_c1_arg_max(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x96xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c1: expected output of 6 columns, found 96}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i {chunk_rows = 8 : i64, row_blocks = 2 : i64, epilogue = #quantized.epilogue<arg_max>} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x96xf32>
  return
}

// -----

func.func @matmul_tile_c4(%w: !quantized.tensor<96x64, f32>, %x: memref<?x64xf32>, %y: memref<?x6xf32>, %i: index) {
  // expected-error @+1 {{matmul_tile_c3: expected a second weight with a geglu epilogue, found one without the other}}
  kernel.matmul_tile %w, %x, %y[%i] rows %i geglu %w {chunk_rows = 8 : i64, row_blocks = 2 : i64, epilogue = #quantized.epilogue<arg_max>} : !quantized.tensor<96x64, f32>, memref<?x64xf32>, memref<?x6xf32> geglu !quantized.tensor<96x64, f32>
  return
}

// -----

func.func @arg_max_row_c1(%x: memref<?x5xf32>, %y: memref<?x2xf32>, %i: index) {
  // expected-error @+1 {{arg_max_row_c1: expected pairs and output of 2 columns, found 5 and 2 columns}}
  kernel.arg_max_row %x, %y[%i] : memref<?x5xf32>, memref<?x2xf32>
  return
}

// -----

// A ring without a block would be a division by zero in compiled code.
// expected-error @+1 {{kv_layer_c1: expected first_slot and window >= 0, ring_blocks > 0 and block_bytes of 1 to 2^40, found 0, 5, 0 and 8192}}
func.func private @kv_layer_c1() attributes {a = #kernel.kv_layer<first_slot = 0, ring_blocks = 0, window = 5, block_bytes = 8192>}

// -----

// expected-error @+1 {{kv_plan_c1: expected positions > 0 and slots >= 0, below 2^31, found 0 and 1}}
func.func private @kv_plan_c1() attributes {a = #kernel.kv_plan<format = bf16, positions = 0, slots = 1>}

// -----

// The second ring reads a slot that the session's table has not.
// expected-error @+1 {{kv_plan_c2: expected rings within 2 slots, found layer 1 at 1 of 2}}
func.func private @kv_plan_c2() attributes {a = #kernel.kv_plan<format = f32, positions = 256, slots = 2, layers = [<first_slot = 0, ring_blocks = 1, window = 5, block_bytes = 64>, <first_slot = 1, ring_blocks = 2, window = 0, block_bytes = 64>]>}

// -----

func.func private @f(!kernel.step)
func.func private @two(!kernel.step, index)
// expected-error @+1 {{model_c1: expected 'decode' to be a function of '!kernel.step', found @two}}
kernel.model @m {decode = @two, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 128, slots = 1>}

// -----

func.func private @f(!kernel.step)
// expected-error @+1 {{model_c1: expected 'decode' to be a function of '!kernel.step', found @missing}}
kernel.model @m {decode = @missing, batch = @f, prefill = @f, head = @f, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 96 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 128, slots = 1>}

// -----

// A plan that is a dictionary, as an older compiler wrote it.
// expected-error @+1 {{expected 'kernel.kv_plan' to be a #kernel.kv_plan, found {slots = 1 : i64}}}
module attributes {kernel.kv_plan = {slots = 1 : i64}} {}

// -----

// expected-error @+1 {{expected 'kernel.max_rows' to be a number of rows > 0 and below 2^31, found 0 : i64}}
func.func private @max_rows() attributes {kernel.max_rows = 0 : i64}

// -----

// expected-error @+1 {{'kernel.kv_layers' is no attribute of the kernel dialect}}
module attributes {kernel.kv_layers = []} {}

// -----

func.func private @layer(%x: memref<?x32xf32>, %index: index)
func.func @call_layer_c1(%x: memref<?x32xf32>, %i: index) {
  // expected-error @+1 {{call_layer_c1: expected @layer to be a function of '(memref<?x32xf32>, index, index) -> ()', found '(memref<?x32xf32>, index) -> ()'}}
  kernel.call_layer @layer(%x) layer %i index %i cache %i : (memref<?x32xf32>) -> ()
  return
}

// -----

// A layer that calls itself would never end in a walk over all layers.
func.func private @layer(%i: index, %cache: index) {
  // expected-error @+1 {{call_layer_c2: expected no call of a layer in @layer}}
  kernel.call_layer @layer() layer %i index %i cache %cache : () -> ()
  return
}

// -----

// The barrier of a phase in a phase would never end.
func.func @phase_c2(%step: !kernel.step, %n: index) {
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    // expected-error @+1 {{phase_c2: expected no phase around a phase}}
    kernel.phase %step tiles(%n) {
    ^bb0(%u: index):
    }
  }
  return
}

// -----

func.func private @layer(%i: index, %cache: index)
func.func @call_layer_c3(%step: !kernel.step, %n: index) {
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    // expected-error @+1 {{call_layer_c3: expected no phase around a call}}
    kernel.call_layer @layer() layer %n index %n cache %n : () -> ()
  }
  return
}

// -----

func.func @buffer_layout(%step: !kernel.step) {
  // expected-error @+1 {{buffer of any number of rows of f32}}
  %x = kernel.alloc %step : memref<?x32xf32, strided<[1, 32]>>
  return
}

// -----

func.func @embed_row_c1(%step: !kernel.step, %w: !quantized.tensor<96x64, f32>, %y: memref<?x32xf32>, %i: index) {
  // expected-error @+1 {{embed_row_c1: expected a matrix of 32 columns, found '!quantized.tensor<96x64, f32>'}}
  kernel.embed_row %step, %w, %y[%i] {scale = 1.0 : f32} : !quantized.tensor<96x64, f32>, memref<?x32xf32>
  return
}

// -----

func.func @rope_angles_row_c1(%step: !kernel.step, %a: memref<?x15xf32>, %i: index) {
  // expected-error @+1 {{rope_angles_row_c1: expected even columns of at most 65536, found 15}}
  kernel.rope_angles_row %step, %a[%i] {theta = 1.0e+04 : f64, factor = 1.0 : f64} : memref<?x15xf32>
  return
}

// -----

func.func @rms_norm_row_c1(%g: !quantized.tensor<48, f32>, %x: memref<?x64xf32>, %i: index) {
  // expected-error @+1 {{rms_norm_row_c1: expected a vector whose length divides 64, found '!quantized.tensor<48, f32>'}}
  kernel.rms_norm_row %x, %g, %x[%i] {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : memref<?x64xf32>, !quantized.tensor<48, f32>, memref<?x64xf32>
  return
}

// -----

func.func @rms_norm_row_c2(%g: !quantized.tensor<64, f32>, %x: memref<?x64xf32>, %r: memref<?x32xf32>, %i: index) {
  // expected-error @+1 {{rms_norm_row_c2: expected a residual of 'memref<?x64xf32>', found 'memref<?x32xf32>'}}
  kernel.rms_norm_row %x, %g, %x[%i] {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : memref<?x64xf32>, !quantized.tensor<64, f32>, memref<?x64xf32> residual %r : memref<?x32xf32>
  return
}

// -----

// 64 codes, two scales, two sums and four: 96 bytes, padded to a cache line.
func.func @quantize_row_c1(%x: memref<?x64xf32>, %q: memref<?x96xi8>, %i: index) {
  // expected-error @+1 {{quantize_row_c1: expected rows of 32 n columns and 128 bytes of codes, found 64 and 96}}
  kernel.quantize_row %x, %q[%i] : memref<?x64xf32>, memref<?x96xi8>
  return
}

// -----

func.func @quantize_row_c2(%x: memref<?x64xf32>, %q: memref<?x128xi8>, %g: !quantized.tensor<32, f32>, %i: index) {
  // expected-error @+1 {{quantize_row_c2: expected a gain of 64 with a norm, or neither}}
  kernel.quantize_row %x, %q[%i] norm %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : memref<?x64xf32>, memref<?x128xi8> norm !quantized.tensor<32, f32>
  return
}

// -----

func.func @rope_row_c1(%x: memref<?x64xf32>, %a: memref<?x24xf32>, %i: index) {
  // expected-error @+1 {{rope_row_c1: expected even columns of angles that divide 64, found 24}}
  kernel.rope_row %x, %a, %x[%i] : memref<?x64xf32>, memref<?x24xf32>, memref<?x64xf32>
  return
}

// -----

func.func @rope_row_c2(%x: memref<?x64xf32>, %a: memref<?x16xf32>, %g: !quantized.tensor<16, f32>, %i: index) {
  // expected-error @+1 {{rope_row_c2: expected a gain of 16 with a norm, or neither}}
  kernel.rope_row %x, %a, %x[%i] norm %g : memref<?x64xf32>, memref<?x16xf32>, memref<?x64xf32> norm !quantized.tensor<16, f32>
  return
}

// -----

func.func @kv_store_row_c1(%step: !kernel.step, %k: memref<?x64xf32>, %i: index) {
  // expected-error @+1 {{kv_store_row_c1: expected columns that 24 divides, found 64}}
  kernel.kv_store_row %step, %k, %k[%i] cache %i {head_dim = 24 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x64xf32>, memref<?x64xf32>
  return
}

// -----

func.func @kv_store_row_c2(%step: !kernel.step, %k: memref<?x64xf32>, %a: memref<?x32xf32>, %i: index) {
  // expected-error @+1 {{kv_store_row_c2: expected angles of 16 columns}}
  kernel.kv_store_row %step, %k, %k[%i] cache %i rope %a {head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>} : memref<?x64xf32>, memref<?x64xf32> rope memref<?x32xf32>
  return
}

// -----

func.func @attention_tile_c1(%step: !kernel.step, %q: memref<?x64xf32>, %i: index) {
  // expected-error @+1 {{attention_tile_c1: expected query columns that are a multiple of head_dim x kv_heads, found 64, 16 and 3}}
  kernel.attention_tile %step, %q, %q[%i] cache %i {head_dim = 16 : i64, kv_heads = 3 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64, kv_format = #kernel.kv_format<f32>} : memref<?x64xf32>, memref<?x64xf32>
  return
}

// -----

func.func @attention_fold_row_c1(%step: !kernel.step, %p: memref<?x512xf32>, %o: memref<?x64xf32>, %i: index) {
  // expected-error @+1 {{attention_fold_row_c1: expected columns that 24 divides, found 64}}
  kernel.attention_fold_row %step, %p, %o[%i] {head_dim = 24 : i64, max_blocks = 4 : i64, window = 0 : i64} : memref<?x512xf32>, memref<?x64xf32>
  return
}

// -----

func.func @attention_fold_row_c2(%step: !kernel.step, %p: memref<?x500xf32>, %o: memref<?x64xf32>, %i: index) {
  // expected-error @+1 {{attention_fold_row_c2: expected partials of 512 columns, found 500}}
  kernel.attention_fold_row %step, %p, %o[%i] {head_dim = 16 : i64, max_blocks = 4 : i64, window = 0 : i64} : memref<?x500xf32>, memref<?x64xf32>
  return
}
