// What LowerKernel refuses. A target that it does not know first.
// RUN: not gemmac-opt --gemmac-lower-kernel=target=x86_64-mmx --split-input-file %s 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: gemmac-opt --gemmac-lower-kernel --split-input-file --verify-diagnostics %s
// TARGET: error: unknown target 'x86_64-mmx'; expected native, x86_64-amx, {{.*}}, portable

// A module that nothing was lowered for.
// expected-error @below {{expected one kernel.model op, found 0}}
module {
}

// -----

// A weight that PlanWeights has not placed.
module {
  quantized.weight @w : !quantized.tensor<16x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 2048, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  func.func private @step(%step: !kernel.step) {
    // expected-error @below {{expected a weight that PlanWeights has placed, found @w without packed_offset}}
    %w = quantized.reference @w : !quantized.tensor<16x32, f32>
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 1024, slots = 0>, arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// -----

// A buffer that PlanBuffers has not placed.
module {
  func.func private @step(%step: !kernel.step) {
    // expected-error @below {{failed to legalize operation 'kernel.alloc'}}
    %x = kernel.alloc %step : memref<?x64xf32>
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 1024, slots = 0>, arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// -----

// A weight's base address is the step's, and the function has none.
module {
  quantized.weight @w : !quantized.tensor<16x32, f32> from [#quantized.source<file = 0, offset = 0, bytes = 2048, format = "f32">] {layout = #quantized.layout<rows_in_lanes>, packed_offset = 0 : i64}
  func.func private @step(!kernel.step)
  func.func private @stray(%row: index) {
    // expected-error @below {{expected a function whose first argument is a !kernel.step, found '(index) -> ()'}}
    %w = quantized.reference @w : !quantized.tensor<16x32, f32>
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, kv = #kernel.kv_plan<format = bf16, positions = 1024, slots = 0>, arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}
