// RUN: gemmac-opt %s | gemmac-opt | FileCheck %s
// RUN: gemmac-opt %s --mlir-print-op-generic | gemmac-opt | FileCheck %s

// CHECK-LABEL: func.func @embedding_and_norm
func.func @embedding_and_norm(%t: tensor<?xi32>, %w: !quantized.tensor<96x64, q8_0>, %g: !quantized.tensor<16, f32>) -> tensor<?x64xf32> {
  // CHECK: %[[X:.*]] = gemma.embed %{{.*}}, %{{.*}} {scale = 8.000000e+00 : f32} : tensor<?xi32>, <96x64, q8_0> -> tensor<?x64xf32>
  %x = gemma.embed %t, %w {scale = 8.0 : f32} : tensor<?xi32>, !quantized.tensor<96x64, q8_0> -> tensor<?x64xf32>
  // A gain shorter than a row: four segments.
  // CHECK: gemma.rms_norm %[[X]], %{{.*}} {norm = #quantized.norm<eps = {{.*}} : f32, gain_offset = 1.000000e+00 : f32>} : tensor<?x64xf32>, <16, f32>
  %y = gemma.rms_norm %x, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<16, f32>
  // CHECK: gemma.wanted_rows %{{.*}} : tensor<?x64xf32>
  %z = gemma.wanted_rows %y : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @feed_forward
func.func @feed_forward(%x: tensor<?x64xf32>, %w: !quantized.tensor<96x64, bf16>) -> tensor<?x96xf32> {
  // CHECK: gemma.linear %{{.*}}, %{{.*}} : tensor<?x64xf32>, !quantized.tensor<96x64, bf16> -> tensor<?x96xf32>
  %g = gemma.linear %x, %w : tensor<?x64xf32>, !quantized.tensor<96x64, bf16> -> tensor<?x96xf32>
  // CHECK: gemma.geglu %{{.*}}, %{{.*}} : tensor<?x96xf32>
  %y = gemma.geglu %g, %g : tensor<?x96xf32>
  // CHECK: gemma.add %{{.*}}, %{{.*}} : tensor<?x96xf32>
  %z = gemma.add %y, %g : tensor<?x96xf32>
  // CHECK: gemma.softcap %{{.*}} {cap = 3.000000e+01 : f32} : tensor<?x96xf32>
  %c = gemma.softcap %z {cap = 3.0e+01 : f32} : tensor<?x96xf32>
  return %c : tensor<?x96xf32>
}

// CHECK-LABEL: func.func @attention_in_parts
func.func @attention_in_parts(%p: tensor<?xi32>, %q0: tensor<?x64xf32>, %k: tensor<?x16xf32>) -> tensor<?x64xf32> {
  // CHECK: gemma.rope_angles %{{.*}} {factor = 8.000000e+00 : f64, theta = 1.000000e+06 : f64} : tensor<?xi32> -> tensor<?x16xf32>
  %a = gemma.rope_angles %p {theta = 1.0e+06 : f64, factor = 8.0 : f64} : tensor<?xi32> -> tensor<?x16xf32>
  // CHECK: gemma.rope %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x16xf32>
  %q = gemma.rope %q0, %a : tensor<?x64xf32>, tensor<?x16xf32>
  // CHECK: gemma.attention_scores %{{.*}}, %{{.*}} {head_dim = 16 : i64, scale = 2.500000e-01 : f32} : tensor<?x64xf32>, tensor<?x16xf32> -> tensor<?x4x?xf32>
  %s = gemma.attention_scores %q, %k {head_dim = 16 : i64, scale = 2.5e-01 : f32} : tensor<?x64xf32>, tensor<?x16xf32> -> tensor<?x4x?xf32>
  // CHECK: gemma.softcap %{{.*}} {cap = 5.000000e+01 : f32} : tensor<?x4x?xf32>
  %c = gemma.softcap %s {cap = 5.0e+01 : f32} : tensor<?x4x?xf32>
  // CHECK: gemma.mask %{{.*}}, %{{.*}} {window = 512 : i64} : tensor<?x4x?xf32>, tensor<?xi32>
  %m = gemma.mask %c, %p {window = 512 : i64} : tensor<?x4x?xf32>, tensor<?xi32>
  // CHECK: gemma.softmax %{{.*}} : tensor<?x4x?xf32>
  %f = gemma.softmax %m : tensor<?x4x?xf32>
  // CHECK: gemma.attention_values %{{.*}}, %{{.*}} : tensor<?x4x?xf32>, tensor<?x16xf32> -> tensor<?x64xf32>
  %o = gemma.attention_values %f, %k : tensor<?x4x?xf32>, tensor<?x16xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @attention_in_one
func.func @attention_in_one(%p: tensor<?xi32>, %q: tensor<?x64xf32>, %k: tensor<?x32xf32>) -> tensor<?x64xf32> {
  // CHECK: gemma.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {head_dim = 16 : i64, scale = 2.500000e-01 : f32, softcap = 0.000000e+00 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  %o = gemma.attention %q, %k, %k, %p {head_dim = 16 : i64, scale = 2.5e-01 : f32, softcap = 0.0 : f32, window = 0 : i64} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return %o : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @layers
func.func @layers(%x: tensor<?x64xf32>, %a: tensor<?x16xf32>) -> tensor<?x64xf32> {
  // CHECK: %[[Y:.*]] = gemma.layer 0 (%[[X0:.*]] = %{{.*}}, %[[A0:.*]] = %{{.*}}) : (tensor<?x64xf32>, tensor<?x16xf32>) -> tensor<?x64xf32> {
  %y = gemma.layer 0 (%x0 = %x, %a0 = %a) : (tensor<?x64xf32>, tensor<?x16xf32>) -> tensor<?x64xf32> {
    // CHECK: gemma.rope %[[X0]], %[[A0]]
    %0 = gemma.rope %x0, %a0 : tensor<?x64xf32>, tensor<?x16xf32>
    // CHECK: gemma.yield %{{.*}} : tensor<?x64xf32>
    gemma.yield %0 : tensor<?x64xf32>
  }
  // Attributes beside the number survive.
  // CHECK: gemma.layer 17 (%{{.*}} = %[[Y]]) : (tensor<?x64xf32>) -> tensor<?x64xf32> attributes {test.kind = "sliding"}
  %z = gemma.layer 17 (%x0 = %y) : (tensor<?x64xf32>) -> tensor<?x64xf32> attributes {test.kind = "sliding"} {
    gemma.yield %x0 : tensor<?x64xf32>
  }
  return %z : tensor<?x64xf32>
}

// What fusion makes.
// CHECK-LABEL: func.func @fused
func.func @fused(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %a: tensor<?x16xf32>, %w: !quantized.tensor<64x64, bf16>, %v: !quantized.tensor<32x64, f32>, %g: !quantized.tensor<64, f32>, %h: !quantized.tensor<16, f32>) -> tensor<?x64xf32> {
  // CHECK: %[[Q:.*]]:2 = gemma.linear %{{.*}}, %{{.*}}, %{{.*}} norm %{{.*}} {norm = #quantized.norm<eps = {{.*}} : f32, gain_offset = 1.000000e+00 : f32>} : tensor<?x64xf32>, {{.*}}<64x64, bf16>, {{.*}}<32x64, f32> norm !quantized.tensor<64, f32> -> tensor<?x64xf32>, tensor<?x32xf32>
  %q:2 = gemma.linear %x, %w, %v norm %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64x64, bf16>, !quantized.tensor<32x64, f32> norm !quantized.tensor<64, f32> -> tensor<?x64xf32>, tensor<?x32xf32>
  // CHECK: gemma.attention %[[Q]]#0, %[[Q]]#1, %[[Q]]#1, %{{.*}} rope %{{.*}} norm %{{.*}}, %{{.*}} {
  %o = gemma.attention %q#0, %q#1, %q#1, %p rope %a norm %h, %h {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 0 : i64, norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32> rope tensor<?x16xf32> norm !quantized.tensor<16, f32>, !quantized.tensor<16, f32>
  // CHECK: gemma.linear %{{.*}}, %{{.*}}, %{{.*}} {epilogue = #quantized.epilogue<geglu>} : {{.*}} -> tensor<?x64xf32>
  %m = gemma.linear %o, %w, %w {epilogue = #quantized.epilogue<geglu>} : tensor<?x64xf32>, !quantized.tensor<64x64, bf16>, !quantized.tensor<64x64, bf16> -> tensor<?x64xf32>
  // CHECK: gemma.linear %{{.*}}, %{{.*}} {epilogue = #quantized.epilogue<softcap = 3.000000e+01 : f32>}
  %c = gemma.linear %m, %w {epilogue = #quantized.epilogue<softcap = 30.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64x64, bf16> -> tensor<?x64xf32>
  // CHECK: %{{.*}}:2 = gemma.linear %{{.*}}, %{{.*}} {epilogue = #quantized.epilogue<arg_max>} : {{.*}} -> tensor<?x64xf32>, tensor<?x2xf32>
  %l:2 = gemma.linear %m, %w {epilogue = #quantized.epilogue<arg_max>} : tensor<?x64xf32>, !quantized.tensor<64x64, bf16> -> tensor<?x64xf32>, tensor<?x2xf32>
  // CHECK: gemma.rms_norm %{{.*}}, %{{.*}} {{{.*}}} : tensor<?x64xf32>, <64, f32> residual %{{.*}} : tensor<?x64xf32>
  %y = gemma.rms_norm %c, %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x64xf32>, !quantized.tensor<64, f32> residual %x : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
