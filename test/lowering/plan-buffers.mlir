// RUN: gemmac-opt %s --gemmac-plan-buffers | FileCheck %s

// 2 hidden rows of 32 floats stand first (256 bytes). %a is dead when %c
// begins, so that they share a place; %b lives with both and must not.
// CHECK-LABEL: func.func private @decode
// CHECK: kernel.arena %arg0 at 256
// CHECK: kernel.arena %arg0 at 512
// CHECK: kernel.arena %arg0 at 256
// CHECK: kernel.call_layer @layer
// A function's buffers start above all of its callers'.
// CHECK-LABEL: func.func private @layer
// CHECK: kernel.arena %arg0 at 768
// CHECK: kernel.model {{.*}}arena_bytes = 1024
func.func private @decode(%step: !kernel.step) attributes {kernel.max_rows = 2 : i64} {
  %n = kernel.row_count %step
  %a = kernel.alloc %step : memref<?x32xf32>
  %b = kernel.alloc %step : memref<?x32xf32>
  %c = kernel.alloc %step : memref<?x32xf32>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %a, %a, %b[%t] : memref<?x32xf32>
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %b, %b, %c[%t] : memref<?x32xf32>
  }
  %i = arith.constant 0 : index
  kernel.call_layer @layer(%step, %c) layer %i index %i cache %i : (!kernel.step, memref<?x32xf32>) -> ()
  return
}
func.func private @layer(%step: !kernel.step, %x: memref<?x32xf32>, %i: index, %cache: index) attributes {kernel.max_rows = 2 : i64} {
  %n = kernel.row_count %step
  %d = kernel.alloc %step : memref<?x32xf32>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.add_row %x, %x, %d[%t] : memref<?x32xf32>
  }
  return
}
kernel.model @gemma_model_m {decode = @decode, batch = @decode, prefill = @decode, head = @decode, batch_rows = 2 : i64, prefill_rows = 2 : i64, head_rows = 2 : i64, vocabulary = 64 : i64, width = 32 : i64, kv = #kernel.kv_plan<format = bf16, positions = 128, slots = 0>}
