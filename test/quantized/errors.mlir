// RUN: gemmac-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{tensor_c1: expected one or two dimensions, found 3}}
func.func private @tensor_c1_rank(!quantized.tensor<2x2x32, f32>)

// -----

// expected-error @+1 {{tensor_c1: expected positive sizes below 2^31, found 0}}
func.func private @tensor_c1_size(!quantized.tensor<0x32, f32>)

// -----

// expected-error @+1 {{tensor_c2: unknown weight format 'q3_k'}}
func.func private @tensor_c2(!quantized.tensor<2x256, q3_k>)

// -----

// expected-error @+1 {{tensor_c3: expected columns in multiples of 256 for q4_k, found 640}}
func.func private @tensor_c3(!quantized.tensor<2x640, q4_k>)

// -----

// expected-error @+1 {{activations_c1: expected a positive multiple of 32 columns below 2^31, found 40}}
func.func private @activations_c1(!quantized.activations<40, scale_per_32>)

// -----

// expected-error @+1 {{source_c2: unknown weight format 'q3_k'}}
quantized.weight @source_c2 : !quantized.tensor<2x256, f32> from [#quantized.source<file = 0, offset = 0, bytes = 2048, format = "q3_k">] {layout = #quantized.layout<rows_in_lanes>}

// -----

// expected-error @+1 {{weight_c2: expected 44 source bytes, found 45}}
quantized.weight @weight_c2 : !quantized.tensor<2x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 45, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}

// -----

// expected-error @+1 {{weight_c2: expected columns in multiples of 256 for q6_k, found 32}}
quantized.weight @weight_c2_columns : !quantized.tensor<2x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 44, format = "q6_k">] {layout = #quantized.layout<rows_in_lanes>}

// -----

// expected-error @+1 {{weight_table_c1: no quantized.weight named @missing}}
quantized.weight_table @table [@missing] : !quantized.tensor<2x32, q5_0>

// -----

quantized.weight @w : !quantized.tensor<2x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 44, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}
// expected-error @+1 {{weight_table_c1: expected type '!quantized.tensor<2x32, q8_0>', found '!quantized.tensor<2x32, q5_0>'}}
quantized.weight_table @table [@w] : !quantized.tensor<2x32, q8_0>

// -----

func.func @reference_c1_missing() {
  // expected-error @+1 {{reference_c1: no quantized.weight named @missing}}
  %w = quantized.reference @missing : !quantized.tensor<2x32, q5_0>
  return
}

// -----

quantized.weight @w : !quantized.tensor<2x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 44, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}
func.func @reference_c1_type() {
  // expected-error @+1 {{reference_c1: expected type '!quantized.tensor<2x32, q5_0>', found '!quantized.tensor<2x32, q8_0>'}}
  %w = quantized.reference @w : !quantized.tensor<2x32, q8_0>
  return
}

// -----

// An index asks for a table.
quantized.weight @w : !quantized.tensor<2x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 44, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}
func.func @reference_c1_table(%i: index) {
  // expected-error @+1 {{reference_c1: no quantized.weight_table named @w}}
  %w = quantized.reference @w[%i] : !quantized.tensor<2x32, q5_0>
  return
}

// -----

func.func @quantize_activation_c1(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{quantize_activation_c1: expected 64 columns, found 32}}
  %c = quantized.quantize_activation %x : tensor<?x64xf32> -> !quantized.activations<32, scale_per_32>
  return
}

// -----

func.func @matmul_c1(%c: !quantized.activations<64, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{matmul_c1: expected a matrix of 64 columns, found '!quantized.tensor<96x32, q8_0>'}}
  %y = quantized.matmul %c, %w : !quantized.activations<64, scale_per_32>, !quantized.tensor<96x32, q8_0> -> tensor<?x96xf32>
  return
}

// -----

func.func @matmul_c2(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{matmul_c2: expected 64 weight rows, found 96}}
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, q8_0> -> tensor<?x64xf32>
  return
}

// -----

func.func @matmul_c4(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, bf16>) {
  // expected-error @+1 {{matmul_c4: expected a format with integer codes, found bf16}}
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, bf16> -> tensor<?x96xf32>
  return
}

// -----

func.func @quantize_activation_c2(%x: tensor<?x64xf32>, %g: !quantized.tensor<32, f32>) {
  // expected-error @+1 {{quantize_activation_c2: expected a gain of 64 with a norm, or neither}}
  %c = quantized.quantize_activation %x norm %g : tensor<?x64xf32> norm !quantized.tensor<32, f32> -> !quantized.activations<64, scale_per_32> {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>}
  return
}

// -----

func.func @matmul_c2_results(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{matmul_c2: expected 2 results, found 1}}
  %y = quantized.matmul %c, %w, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, q8_0>, !quantized.tensor<96x32, q8_0> -> tensor<?x96xf32>
  return
}

// -----

func.func @matmul_c3(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{matmul_c3: expected two weights and one result of one height}}
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, q8_0> -> tensor<?x96xf32> {epilogue = #quantized.epilogue<geglu>}
  return
}

// -----

func.func @epilogue_c2(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{epilogue_c2: expected a finite softcap > 0 of f32, found 0.000000e+00 : f32}}
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, q8_0> -> tensor<?x96xf32> {epilogue = #quantized.epilogue<softcap = 0.0 : f32>}
  return
}

// -----

// f32 could not number so many columns.
func.func @matmul_c5(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<16777217x32, q8_0>) {
  // expected-error @+1 {{matmul_c5: expected one weight of at most 16777216 rows and a second result of 2 columns}}
  %y:2 = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<16777217x32, q8_0> -> tensor<?x16777217xf32>, tensor<?x2xf32> {epilogue = #quantized.epilogue<arg_max>}
  return
}

// -----

// expected-error @+1 {{weight_c1: expected one source, found 2}}
quantized.weight @weight_c1 : !quantized.tensor<2x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 256, format = "f32">, #quantized.source<file = 0, offset = 0, bytes = 256, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}

// -----

// expected-error @+1 {{weight_c3: expected layout rows_in_lanes for '!quantized.tensor<2x32, f32>', found dense}}
quantized.weight @weight_c3 : !quantized.tensor<2x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 256, format = "f32">] {layout = #quantized.layout<dense>}

// -----

// expected-error @+1 {{source_c1: expected no negative number, found file -1, offset 0 and bytes 256}}
quantized.weight @source_c1 : !quantized.tensor<2x32, f32> from [#quantized.source<file = -1, offset = 0, bytes = 256, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}

// -----

// expected-error @+1 {{attribute 'packed_offset' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
quantized.weight @packed_offset : !quantized.tensor<2x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 256, format = "f32">] {layout = #quantized.layout<rows_in_lanes>, packed_offset = -64 : i64}

// -----

// expected-error @+1 {{epilogue_c1: expected geglu, softcap or arg_max, found none}}
func.func private @epilogue_c1() attributes {a = #quantized.epilogue<>}

// -----

// expected-error @+1 {{expected each part once}}
func.func private @epilogue_twice() attributes {a = #quantized.epilogue<geglu, geglu>}

// -----

// expected-error @+1 {{expected geglu, softcap or arg_max, found relu}}
func.func private @epilogue_word() attributes {a = #quantized.epilogue<relu>}

// -----

// expected-error @+1 {{norm_c1: expected a finite eps > 0 and a finite gain_offset of f32, found 9.9999999999999995E-7 : f64 and 1.000000e+00 : f32}}
func.func private @norm_c1() attributes {a = #quantized.norm<eps = 1.0e-06 : f64, gain_offset = 1.0 : f32>}

// -----

// An attribute of an older compiler: to ignore it would drop the cap.
func.func @known_attributes(%c: !quantized.activations<32, scale_per_32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{expected no attribute 'softcap', found 3.000000e+01 : f32}}
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<96x32, q8_0> -> tensor<?x96xf32> {softcap = 30.0 : f32}
  return
}
