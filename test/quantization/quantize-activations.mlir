// RUN: gemmac-opt %s --split-input-file --gemmac-quantize-activations | FileCheck %s
// RUN: gemmac-opt %s --split-input-file --gemmac-quantize-activations --remarks-filter=quantization 2>&1 | FileCheck %s --check-prefix=REMARK

// Linears of one input share its codes, whatever their formats; a later input
// gets its own. Works inside a layer.
quantized.weight @q : !quantized.tensor<64x32, q5_0> from [#quantized.source<file = 0, offset = 0, bytes = 1408, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @k : !quantized.tensor<32x32, q8_0> from [#quantized.source<file = 0, offset = 0, bytes = 1088, format = "q8_0">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @o : !quantized.tensor<32x64, q4_0> from [#quantized.source<file = 0, offset = 0, bytes = 1152, format = "q4_0">] {layout = #quantized.layout<rows_in_lanes>}
// CHECK-LABEL: func.func @layer
// REMARK: remark: [Passed] QuantizeActivations {{.*}}one quantization of 32 columns for 2 weights
func.func @layer(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // CHECK: gemma.layer 0 (%[[X:.*]] = %{{.*}})
  %y = gemma.layer 0 (%a = %x) : (tensor<?x32xf32>) -> tensor<?x32xf32> {
    // CHECK: %[[Q:.*]] = quantized.reference @q
    // CHECK: %[[C:.*]] = quantized.quantize_activation %[[X]] : tensor<?x32xf32> -> <32, scale_per_32>
    // CHECK-NEXT: %[[M:.*]] = quantized.matmul %[[C]], %[[Q]] : <32, scale_per_32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
    %q = quantized.reference @q : !quantized.tensor<64x32, q5_0>
    %0 = gemma.linear %a, %q : tensor<?x32xf32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
    // CHECK-NOT: quantize_activation
    // CHECK: quantized.matmul %[[C]], %{{.*}} -> tensor<?x32xf32>
    %k = quantized.reference @k : !quantized.tensor<32x32, q8_0>
    %1 = gemma.linear %a, %k : tensor<?x32xf32>, !quantized.tensor<32x32, q8_0> -> tensor<?x32xf32>
    // CHECK: %[[D:.*]] = quantized.quantize_activation %[[M]] : tensor<?x64xf32> -> <64, scale_per_32>
    // CHECK-NEXT: quantized.matmul %[[D]]
    // CHECK-NOT: gemma.linear
    %o = quantized.reference @o : !quantized.tensor<32x64, q4_0>
    %2 = gemma.linear %0, %o : tensor<?x64xf32>, !quantized.tensor<32x64, q4_0> -> tensor<?x32xf32>
    %3 = gemma.add %1, %2 : tensor<?x32xf32>
    gemma.yield %3 : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// -----

// The head stands outside of layers.
quantized.weight @head : !quantized.tensor<96x256, q6_k> from [#quantized.source<file = 0, offset = 0, bytes = 20160, format = "q6_k">] {layout = #quantized.layout<rows_in_lanes>}
// CHECK-LABEL: func.func @head_of_model
func.func @head_of_model(%x: tensor<?x256xf32>) -> tensor<?x96xf32> {
  %w = quantized.reference @head : !quantized.tensor<96x256, q6_k>
  // CHECK: %[[C:.*]] = quantized.quantize_activation
  // CHECK-NEXT: %[[Y:.*]] = quantized.matmul %[[C]]
  // CHECK-NEXT: return %[[Y]]
  %y = gemma.linear %x, %w : tensor<?x256xf32>, !quantized.tensor<96x256, q6_k> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// -----

// Must not fire: float weights take the f32 input as it is.
quantized.weight @f : !quantized.tensor<8x40, bf16> from [#quantized.source<file = 0, offset = 0, bytes = 640, format = "bf16">] {layout = #quantized.layout<rows_in_lanes>}
// CHECK-LABEL: func.func @floats
// REMARK: remark: [Missed] QuantizeActivations {{.*}}Reason="bf16 has no integer codes"
func.func @floats(%x: tensor<?x40xf32>) -> tensor<?x8xf32> {
  %w = quantized.reference @f : !quantized.tensor<8x40, bf16>
  // CHECK-NOT: quantize_activation
  // CHECK: gemma.linear
  %y = gemma.linear %x, %w : tensor<?x40xf32>, !quantized.tensor<8x40, bf16> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A fused linear keeps its weights together and hands its norm to the codes; a
// float weight among them gets a linear of its own.
// CHECK-LABEL: func.func @fused
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x32xf32>, %[[G:[^:]*]]: {{.*}}, %[[Q:[^:]*]]: {{.*}}, %[[F:[^:]*]]: {{.*}}) ->
func.func @fused(%x: tensor<?x32xf32>, %g: !quantized.tensor<32, f32>, %q: !quantized.tensor<64x32, q5_0>, %f: !quantized.tensor<64x32, bf16>) -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NEXT: %[[A:.*]] = quantized.quantize_activation %[[X]] norm %[[G]]
  // CHECK-NEXT: %[[QA:.*]] = quantized.matmul %[[A]], %[[Q]]
  // CHECK-NEXT: %[[FA:.*]] = gemma.linear %[[X]], %[[F]] norm %[[G]]
  %0:2 = gemma.linear %x, %q, %f norm %g {norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>} : tensor<?x32xf32>, !quantized.tensor<64x32, q5_0>, !quantized.tensor<64x32, bf16> norm !quantized.tensor<32, f32> -> tensor<?x64xf32>, tensor<?x64xf32>
  // Without a norm the codes are others.
  // CHECK-NEXT: %[[B:.*]] = quantized.quantize_activation %[[X]] :
  // CHECK-NEXT: %[[GATE:.*]] = quantized.matmul %[[B]], %[[Q]]
  // CHECK-NEXT: %[[UP:.*]] = gemma.linear %[[X]], %[[F]] :
  // CHECK-NEXT: %[[MIXED:.*]] = gemma.geglu %[[GATE]], %[[UP]]
  %1 = gemma.linear %x, %q, %f {epilogue = #quantized.epilogue<geglu>} : tensor<?x32xf32>, !quantized.tensor<64x32, q5_0>, !quantized.tensor<64x32, bf16> -> tensor<?x64xf32>
  // CHECK-NEXT: %[[GATED:.*]] = quantized.matmul %[[B]], %[[Q]], %[[Q]] {{.*}} {epilogue = #quantized.epilogue<geglu>}
  %2 = gemma.linear %x, %q, %q {epilogue = #quantized.epilogue<geglu>} : tensor<?x32xf32>, !quantized.tensor<64x32, q5_0>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
  // CHECK-NEXT: return %[[QA]], %[[FA]], %[[MIXED]], %[[GATED]]
  return %0#0, %0#1, %1, %2 : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
