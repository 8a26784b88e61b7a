// RUN: gemmac-opt %s --split-input-file --verify-diagnostics

func.func @embed_c1(%t: tensor<?xi32>, %w: !quantized.tensor<96x32, q8_0>) {
  // expected-error @+1 {{embed_c1: expected a matrix of 64 columns, found '!quantized.tensor<96x32, q8_0>'}}
  %x = gemma.embed %t, %w {scale = 8.0 : f32} : tensor<?xi32>, !quantized.tensor<96x32, q8_0> -> tensor<?x64xf32>
  return
}

// -----

func.func @embed_c1_vector(%t: tensor<?xi32>, %w: !quantized.tensor<64, f32>) {
  // expected-error @+1 {{embed_c1: expected a matrix of 64 columns}}
  %x = gemma.embed %t, %w {scale = 8.0 : f32} : tensor<?xi32>, !quantized.tensor<64, f32> -> tensor<?x64xf32>
  return
}

// -----

func.func @rms_norm_c1(%x: tensor<?x64xf32>, %g: !quantized.tensor<48, f32>) {
  // expected-error @+1 {{rms_norm_c1: expected a vector whose length divides 64, found '!quantized.tensor<48, f32>'}}
  %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<48, f32>
  return
}

// -----

func.func @rms_norm_c1_matrix(%x: tensor<?x64xf32>, %g: !quantized.tensor<1x64, f32>) {
  // expected-error @+1 {{rms_norm_c1: expected a vector}}
  %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<1x64, f32>
  return
}

// -----

func.func @norm_c1(%x: tensor<?x64xf32>, %g: !quantized.tensor<64, f32>) {
  // expected-error @+1 {{norm_c1: expected a finite eps > 0 and a finite gain_offset of f32, found 0.000000e+00 : f32}}
  %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 0.0 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32>
  return
}

// -----

func.func @linear_c1(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x32, f32>) {
  // expected-error @+1 {{linear_c1: expected a matrix of 64 columns, found '!quantized.tensor<96x32, f32>'}}
  %y = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x32, f32> -> tensor<?x96xf32>
  return
}

// -----

func.func @linear_c2(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) {
  // expected-error @+1 {{linear_c2: expected 95 weight rows, found 96}}
  %y = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x95xf32>
  return
}

// -----

func.func @rope_angles_c1(%p: tensor<?xi32>) {
  // expected-error @+1 {{rope_angles_c1: expected even head dim, found 255}}
  %a = gemma.rope_angles %p {theta = 1.0e+04 : f64, factor = 1.0 : f64} : tensor<?xi32> -> tensor<?x255xf32>
  return
}

// -----

func.func @rope_angles_factor(%p: tensor<?xi32>) {
  // expected-error @+1 {{attribute 'factor' failed to satisfy constraint: 64-bit float attribute that is finite and > 0}}
  %a = gemma.rope_angles %p {theta = 1.0e+04 : f64, factor = 0.0 : f64} : tensor<?xi32> -> tensor<?x16xf32>
  return
}

// -----

func.func @rope_c1(%x: tensor<?x64xf32>, %a: tensor<?x24xf32>) {
  // expected-error @+1 {{rope_c1: expected a multiple of 24 columns, found 64}}
  %y = gemma.rope %x, %a : tensor<?x64xf32>, tensor<?x24xf32>
  return
}

// -----

func.func @attention_scores_c1(%q: tensor<?x64xf32>, %k: tensor<?x16xf32>) {
  // expected-error @+1 {{attention_scores_c1: head_dim 24 does not divide query columns 64 and key columns 16}}
  %s = gemma.attention_scores %q, %k {head_dim = 24 : i64, scale = 1.0 : f32} : tensor<?x64xf32>, tensor<?x16xf32> -> tensor<?x4x?xf32>
  return
}

// -----

func.func @attention_scores_c1_zero(%q: tensor<?x64xf32>, %k: tensor<?x16xf32>) {
  // expected-error @+1 {{attribute 'head_dim' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %s = gemma.attention_scores %q, %k {head_dim = 0 : i64, scale = 1.0 : f32} : tensor<?x64xf32>, tensor<?x16xf32> -> tensor<?x4x?xf32>
  return
}

// -----

func.func @attention_scores_c2(%q: tensor<?x64xf32>, %k: tensor<?x48xf32>) {
  // expected-error @+1 {{attention_scores_c2: expected 4 heads in groups of 3, found 4}}
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 1.0 : f32} : tensor<?x64xf32>, tensor<?x48xf32> -> tensor<?x4x?xf32>
  return
}

// -----

func.func @attention_scores_c2_heads(%q: tensor<?x64xf32>, %k: tensor<?x16xf32>) {
  // expected-error @+1 {{attention_scores_c2: expected 4 heads in groups of 1, found 2}}
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 1.0 : f32} : tensor<?x64xf32>, tensor<?x16xf32> -> tensor<?x2x?xf32>
  return
}

// -----

func.func @softcap_cap(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{attribute 'cap' failed to satisfy constraint: 32-bit float attribute that is finite and > 0}}
  %y = gemma.softcap %x {cap = -3.0 : f32} : tensor<?x64xf32>
  return
}

// -----

func.func @mask_window(%s: tensor<?x4x?xf32>, %p: tensor<?xi32>) {
  // expected-error @+1 {{attribute 'window' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %m = gemma.mask %s, %p {window = -1 : i64} : tensor<?x4x?xf32>, tensor<?xi32>
  return
}

// -----

func.func @attention_values_c1(%s: tensor<?x4x?xf32>, %v: tensor<?x24xf32>) {
  // expected-error @+1 {{attention_values_c1: 4 heads of 64 columns do not share value columns 24}}
  %o = gemma.attention_values %s, %v : tensor<?x4x?xf32>, tensor<?x24xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @attention_c1(%q: tensor<?x64xf32>, %k: tensor<?x24xf32>, %p: tensor<?xi32>) {
  // expected-error @+1 {{attention_c1: head_dim 16 does not split query columns 64 and key columns 24}}
  %o = gemma.attention %q, %k, %k, %p {head_dim = 16 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?xi32>
  return
}

// -----

func.func @attention_c2(%q: tensor<?x64xf32>, %k: tensor<?x16xf32>, %v: tensor<?x32xf32>, %p: tensor<?xi32>) {
  // expected-error @+1 {{attention_c2: expected the key's type 'tensor<?x16xf32>', found 'tensor<?x32xf32>'}}
  %o = gemma.attention %q, %k, %v, %p {head_dim = 16 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x32xf32>, tensor<?xi32>
  return
}

// -----

func.func @attention_window(%q: tensor<?x64xf32>, %k: tensor<?x16xf32>, %p: tensor<?xi32>) {
  // expected-error @+1 {{attribute 'window' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %o = gemma.attention %q, %k, %k, %p {head_dim = 16 : i64, scale = 1.0 : f32, softcap = 0.0 : f32, window = -4 : i64} : tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
  return
}

// -----

func.func @layer_c1(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{layer_c1: expected region arguments of the operands' types}}
  %y = "gemma.layer"(%x) <{layer = 0 : i64}> ({
  ^bb0(%a: tensor<?x32xf32>):
    %z = builtin.unrealized_conversion_cast %a : tensor<?x32xf32> to tensor<?x64xf32>
    gemma.yield %z : tensor<?x64xf32>
  }) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @layer_c2(%x: tensor<?x64xf32>, %b: tensor<?x32xf32>) {
  // expected-error @+1 {{layer_c2: expected gemma.yield of 'tensor<?x64xf32>'}}
  %y = gemma.layer 0 (%a = %x, %c = %b) : (tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32> {
    gemma.yield %c : tensor<?x32xf32>
  }
  return
}

// -----

func.func @layer_c2_nothing(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{layer_c2: expected gemma.yield of 'tensor<?x64xf32>'}}
  %y = gemma.layer 0 (%a = %x) : (tensor<?x64xf32>) -> tensor<?x64xf32> {
  }
  return
}

// -----

// A layer sees nothing from outside but its arguments.
func.func @layer_is_isolated(%x: tensor<?x64xf32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %y = gemma.layer 0 (%a = %x) : (tensor<?x64xf32>) -> tensor<?x64xf32> {
    // expected-error @+1 {{op using value defined outside the region}}
    gemma.yield %x : tensor<?x64xf32>
  }
  return
}

// -----

func.func @rows_are_f32(%x: tensor<?x64xf16>) {
  // expected-error @+1 {{operand #0 must be 2D tensor of any number of rows of f32}}
  %y = gemma.wanted_rows %x : tensor<?x64xf16>
  return
}

// -----

func.func @norm_c1(%x: tensor<?x64xf32>, %r: tensor<?x32xf32>, %g: !quantized.tensor<64, f32>) {
  // expected-error @+1 {{rms_norm_c2: expected a residual of 'tensor<?x64xf32>', found 'tensor<?x32xf32>'}}
  %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32> residual %r : tensor<?x32xf32>
  return
}

// -----

func.func @linear_c3(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>, %v: !quantized.tensor<80x64, f32>) {
  // expected-error @+1 {{linear_c3: expected two weights and one result of one height}}
  %y = gemma.linear %x, %w, %v {epilogue = #quantized.epilogue<geglu>} : tensor<?x64xf32>, !quantized.tensor<96x64, f32>, !quantized.tensor<80x64, f32> -> tensor<?x96xf32>
  return
}

// -----

func.func @epilogue_c1(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) {
  // expected-error @+1 {{epilogue_c1: expected geglu alone, found it beside softcap}}
  %y = gemma.linear %x, %w, %w {epilogue = #quantized.epilogue<geglu, softcap = 30.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<96x64, f32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  return
}

// -----

func.func @linear_c4(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>, %g: !quantized.tensor<64, f32>) {
  // expected-error @+1 {{linear_c4: expected a gain of 64 with a norm, or neither}}
  %y = gemma.linear %x, %w norm %g : tensor<?x64xf32>, !quantized.tensor<96x64, f32> norm !quantized.tensor<64, f32> -> tensor<?x96xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %p: tensor<?xi32>, %g: !quantized.tensor<16, f32>) {
  // expected-error @+1 {{attention_c3: expected angles of 16 columns}}
  %o = gemma.attention %q, %k, %k, %p norm %g, %g {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64, norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32> norm !quantized.tensor<16, f32>, !quantized.tensor<16, f32>
  return
}

// -----

// One result where arg_max needs two.
func.func @linear_c5(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, f32>) {
  // expected-error @+1 {{linear_c5: expected one weight of at most 16777216 rows and a second result of 2 columns}}
  %y = gemma.linear %x, %w {epilogue = #quantized.epilogue<arg_max>} : tensor<?x64xf32>, !quantized.tensor<96x64, f32> -> tensor<?x96xf32>
  return
}

// -----

// expected-error @+1 {{expected 'gemma.model' to be a #gemma.sizes, found {context = 1000 : i64}}}
module attributes {gemma.model = {context = 1000 : i64}} {}

// -----

// expected-error @+1 {{expected 'gemma.sources' to be an array of paths, found [1 : i32]}}
module attributes {gemma.sources = [1 : i32]} {}

// -----

// expected-error @+1 {{expected 'gemma.layer_kind' to be a number of a kind, found "full"}}
func.func private @layer_kind() attributes {gemma.layer_kind = "full"}

// -----

// expected-error @+1 {{'gemma.modle' is no attribute of the gemma dialect}}
module attributes {gemma.modle = 1 : i64} {}

// -----

// expected-error @+1 {{sizes_c1: expected sizes of at least 1 and below 2^31, found 0, 32, 3, 2, 2, 16, 32 and 1000}}
module attributes {gemma.model = #gemma.sizes<architecture = "a", vocabulary = 0, width = 32, layers = 3, heads = 2, kv_heads = 2, head_dim = 16, ffn = 32, positions = 1000>} {}
