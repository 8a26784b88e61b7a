// A step function with operations on rows, and a layer, for mutations.py to
// break.
!rows = memref<?x32xf32>
!wide = memref<?x64xf32>
!angles = memref<?x16xf32>
!codes = memref<?x64xi8>
!table = !quantized.tensor<64x32, f32>
!matrix = !quantized.tensor<32x32, f32>
!gain = !quantized.tensor<16, f32>
#norm = #quantized.norm<eps = 1.0e-06 : f32, gain_offset = 1.0 : f32>

quantized.weight @e : !table from [#quantized.source<file = 0, offset = 0, bytes = 8192, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @w : !matrix from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
quantized.weight @g : !gain from [#quantized.source<file = 0, offset = 0, bytes = 64, format = "f32">] {layout = #quantized.layout<dense>}
quantized.weight_table @ws [@w] : !matrix

func.func private @step(%step: !kernel.step) attributes {kernel.max_rows = 8 : i64} {
  %n = kernel.row_count %step
  %c = arith.constant 0 : index
  %x = kernel.alloc %step : !rows
  %y = kernel.alloc %step : !rows
  %z = kernel.alloc %step : !wide
  %a = kernel.alloc %step : !angles
  %q = kernel.alloc %step : !codes
  %e = quantized.reference @e : !table
  %g = quantized.reference @g : !gain
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.embed_row %step, %e, %x[%t] {scale = 8.0 : f32} : !table, !rows
    kernel.rms_norm_row %x, %g, %y[%t] {norm = #norm} : !rows, !gain, !rows
    kernel.rope_row %x, %a, %y[%t] : !rows, !angles, !rows
    kernel.softcap_row %x, %y[%t] {cap = 3.0 : f32} : !rows, !rows
    kernel.quantize_row %y, %q[%t] : !rows, !codes
    kernel.kv_store_row %step, %y, %y[%t] cache %c {head_dim = 16 : i64, kv_format = #kernel.kv_format<bf16>} : !rows, !rows
    kernel.copy_row %x[%t], %y[%t] : !rows, !rows
  }
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.attention_tile %step, %x, %y[%t] cache %c {head_dim = 16 : i64, kv_heads = 1 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 5 : i64, kv_format = #kernel.kv_format<bf16>} : !rows, !rows
    kernel.add_row %x, %y, %y[%t] : !rows
  }
  kernel.call_layer @layer(%step, %x) layer %c index %c cache %c : (!kernel.step, !rows) -> ()
  return
}

func.func private @layer(%step: !kernel.step, %x: !rows, %i: index, %cache: index) attributes {kernel.max_rows = 8 : i64} {
  %n = kernel.row_count %step
  %y = kernel.alloc %step : !rows
  %w = quantized.reference @ws[%i] : !matrix
  %tiles = kernel.matmul_tiles %n {weight_rows = 32 : i64, chunk_rows = 8 : i64, row_blocks = 1 : i64}
  kernel.phase %step tiles(%tiles) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n {chunk_rows = 8 : i64, row_blocks = 1 : i64} : !matrix, !rows, !rows
  }
  return
}

kernel.model @gemma_model_m {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 8 : i64, head_rows = 8 : i64, vocabulary = 64 : i64, width = 32 : i64, kv = #kernel.kv_plan<format = bf16, positions = 1000, slots = 1, layers = [<first_slot = 0, ring_blocks = 1, window = 5, block_bytes = 16384>]>}
