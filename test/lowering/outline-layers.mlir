// RUN: gemmac-opt %s --gemmac-outline-layers | FileCheck %s

quantized.weight @w0 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @w1 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @w2 : !quantized.tensor<32x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}

// Layers 0 and 2 are one kind, with a table of their weights; layer 1 has
// another op and must not join them.
// CHECK: quantized.weight_table @[[T0:.*]] [@w0, @w2]
// CHECK: func.func private @layer_0(%{{.*}}: tensor<?x32xf32>, %[[I:.*]]: index, %{{.*}}: index)
// CHECK-NEXT: quantized.reference @[[T0]][%[[I]]]
// CHECK: quantized.weight_table @{{.*}} [@w1]
// CHECK: func.func private @layer_1
// CHECK-LABEL: func.func @forward
// CHECK-NOT: gemma.layer
// CHECK: kernel.call_layer @layer_0(%arg0) layer %c0{{.*}} index %c0{{.*}} cache %c0
// CHECK: %[[A:.*]] = kernel.call_layer @layer_1(%{{.*}}) layer %c1{{.*}} index %c0{{.*}} cache %c1
// CHECK: kernel.call_layer @layer_0(%[[A]]) layer %c2{{.*}} index %c1{{.*}} cache %c2
func.func @forward(%y: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y0 = gemma.layer 0 (%a = %y) : (tensor<?x32xf32>) -> tensor<?x32xf32> {
    %w = quantized.reference @w0 : !quantized.tensor<32x32, f32>
    %q = gemma.linear %a, %w : tensor<?x32xf32>, !quantized.tensor<32x32, f32> -> tensor<?x32xf32>
    %r = gemma.add %a, %q : tensor<?x32xf32>
    gemma.yield %r : tensor<?x32xf32>
  }
  %y1 = gemma.layer 1 (%a = %y0) : (tensor<?x32xf32>) -> tensor<?x32xf32> {
    %w = quantized.reference @w1 : !quantized.tensor<32x32, f32>
    %q = gemma.linear %a, %w : tensor<?x32xf32>, !quantized.tensor<32x32, f32> -> tensor<?x32xf32>
    %r = gemma.geglu %a, %q : tensor<?x32xf32>
    gemma.yield %r : tensor<?x32xf32>
  }
  %y2 = gemma.layer 2 (%a = %y1) : (tensor<?x32xf32>) -> tensor<?x32xf32> {
    %w = quantized.reference @w2 : !quantized.tensor<32x32, f32>
    %q = gemma.linear %a, %w : tensor<?x32xf32>, !quantized.tensor<32x32, f32> -> tensor<?x32xf32>
    %r = gemma.add %a, %q : tensor<?x32xf32>
    gemma.yield %r : tensor<?x32xf32>
  }
  return %y2 : tensor<?x32xf32>
}
