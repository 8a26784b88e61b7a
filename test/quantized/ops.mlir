// RUN: gemmac-opt %s | gemmac-opt | FileCheck %s
// RUN: gemmac-opt %s --mlir-print-op-generic | gemmac-opt | FileCheck %s

// CHECK: quantized.weight @blk.0.attn_q.weight : !quantized.tensor<64x32, q5_0> from [#quantized.source<file = 0, offset = 4096, bytes = 1408, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @blk.0.attn_q.weight : !quantized.tensor<64x32, q5_0> from [#quantized.source<file = 0, offset = 4096, bytes = 1408, format = "q5_0">] {layout = #quantized.layout<rows_in_lanes>}

// Kept in another format than the checkpoint's, and placed.
// CHECK: quantized.weight @blk.1.attn_q.weight : !quantized.tensor<64x32, q5_0> from [{{.*}}format = "bf16">] {{.*}}packed_offset = 65536 : i64
quantized.weight @blk.1.attn_q.weight : !quantized.tensor<64x32, q5_0> from [#quantized.source<file = 1, offset = 0, bytes = 4096, format = "bf16">] {layout = #quantized.layout<rows_in_lanes>, packed_offset = 65536 : i64}

// CHECK: quantized.weight @gain : !quantized.tensor<7, f32>
quantized.weight @gain : !quantized.tensor<7, f32> from [#quantized.source<file = 0, offset = 0, bytes = 14, format = "f16">] {layout = #quantized.layout<dense>}

// CHECK: quantized.weight_table @layer_0.q [@blk.0.attn_q.weight, @blk.1.attn_q.weight] : !quantized.tensor<64x32, q5_0>
quantized.weight_table @layer_0.q [@blk.0.attn_q.weight, @blk.1.attn_q.weight] : !quantized.tensor<64x32, q5_0>

// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<?x32xf32>, %i: index) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK: %[[W:.*]] = quantized.reference @blk.0.attn_q.weight : <64x32, q5_0>
  %w = quantized.reference @blk.0.attn_q.weight : !quantized.tensor<64x32, q5_0>
  // CHECK: %[[E:.*]] = quantized.reference @layer_0.q[%{{.*}}] : <64x32, q5_0>
  %e = quantized.reference @layer_0.q[%i] : !quantized.tensor<64x32, q5_0>
  // CHECK: %[[C:.*]] = quantized.quantize_activation %{{.*}} : tensor<?x32xf32> -> <32, scale_per_32>
  %c = quantized.quantize_activation %x : tensor<?x32xf32> -> !quantized.activations<32, scale_per_32>
  // CHECK: quantized.matmul %[[C]], %[[W]] : <32, scale_per_32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
  %y = quantized.matmul %c, %w : !quantized.activations<32, scale_per_32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
  // CHECK: quantized.matmul %[[C]], %[[E]] : <32, scale_per_32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
  %z = quantized.matmul %c, %e : !quantized.activations<32, scale_per_32>, !quantized.tensor<64x32, q5_0> -> tensor<?x64xf32>
  return %y, %z : tensor<?x64xf32>, tensor<?x64xf32>
}

// Every format's name parses.
// CHECK-LABEL: func.func private @formats
func.func private @formats(
  !quantized.tensor<2x256, f32>, !quantized.tensor<2x256, f16>,
  !quantized.tensor<2x256, bf16>, !quantized.tensor<2x256, q8_0>,
  !quantized.tensor<2x256, q4_0>, !quantized.tensor<2x256, q4_1>,
  !quantized.tensor<2x256, q5_0>, !quantized.tensor<2x256, q5_1>,
  !quantized.tensor<2x256, q4_k>, !quantized.tensor<2x256, q5_k>,
  !quantized.tensor<2x256, q6_k>)
