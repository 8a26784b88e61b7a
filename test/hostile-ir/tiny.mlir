// A model of one layer, as small as may be, for mutations.py to break.
!ids = tensor<?xi32>
!rows = tensor<?x32xf32>
!logits = tensor<?x64xf32>
!table = !quantized.tensor<64x32, f32>
!matrix = !quantized.tensor<32x32, f32>

module attributes {gemma.model = #gemma.sizes<architecture = "test", vocabulary = 64, width = 32, layers = 1, heads = 2, kv_heads = 2, head_dim = 16, ffn = 32, positions = 1000>} {
  quantized.weight @e : !table from [#quantized.source<file = 0, offset = 0, bytes = 8192, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  quantized.weight @w : !matrix from [#quantized.source<file = 0, offset = 0, bytes = 4096, format = "f32">] {layout = #quantized.layout<rows_in_lanes>}
  func.func @forward(%tokens: !ids, %positions: !ids) -> !logits {
    %e = quantized.reference @e : !table
    %x = gemma.embed %tokens, %e {scale = 2.0 : f32} : !ids, !table -> !rows
    %y = gemma.layer 0 (%a = %x, %p = %positions) : (!rows, !ids) -> !rows {
      %w = quantized.reference @w : !matrix
      %q = gemma.linear %a, %w : !rows, !matrix -> !rows
      %o = gemma.attention %q, %a, %a, %p {head_dim = 16 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, window = 5 : i64} : !rows, !rows, !rows, !ids
      %s = gemma.add %a, %o : !rows
      gemma.yield %s : !rows
    }
    %r = gemma.wanted_rows %y : !rows
    %l = gemma.linear %r, %e : !rows, !table -> !logits
    return %l : !logits
  }
}
