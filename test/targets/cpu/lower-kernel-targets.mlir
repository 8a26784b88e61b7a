// What LowerKernel takes from the target: the dot product of 8-bit codes, the
// width of a tile, a matrix engine's start and stop.
// RUN: gemmac-opt --gemmac-lower-kernel=target=portable %s | FileCheck %s --check-prefixes=PORTABLE,NOENGINE
// RUN: gemmac-opt --gemmac-lower-kernel=target=x86_64-avx2 %s | FileCheck %s --check-prefixes=AVX2,NOENGINE
// RUN: gemmac-opt --gemmac-lower-kernel=target=x86_64-avx512 %s | FileCheck %s --check-prefixes=AVX512,NOENGINE
// RUN: gemmac-opt --gemmac-lower-kernel=target=x86_64-amx %s | FileCheck %s --check-prefix=AMX

quantized.weight @w : !quantized.tensor<16x32, q8_0> {file = 0 : i64, offset = 0 : i64, source_bytes = 544 : i64, source_format = "q8_0", packed_offset = 0 : i64}

// One row: no engine anywhere.
func.func private @decode(%step: !kernel.step) {
  %n = kernel.row_count %step
  %x = kernel.arena %step at 0 : memref<?x64xi8>
  %y = kernel.arena %step at 4096 : memref<?x16xf32>
  %w = quantized.reference @w : !quantized.tensor<16x32, q8_0>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n {chunk_rows = 1, row_blocks = 1} : !quantized.tensor<16x32, q8_0>, memref<?x64xi8>, memref<?x16xf32>
  }
  return
}

// Chunks of 128 rows: where there is an engine, each thread starts it before its
// tiles and stops it before the barrier.
func.func private @prefill(%step: !kernel.step) {
  %n = kernel.row_count %step
  %x = kernel.arena %step at 0 : memref<?x64xi8>
  %y = kernel.arena %step at 4096 : memref<?x16xf32>
  %w = quantized.reference @w : !quantized.tensor<16x32, q8_0>
  kernel.phase %step tiles(%n) {
  ^bb0(%t: index):
    kernel.matmul_tile %w, %x, %y[%t] rows %n {chunk_rows = 128, row_blocks = 1} : !quantized.tensor<16x32, q8_0>, memref<?x64xi8>, memref<?x16xf32>
  }
  return
}

kernel.model @gemma_model_test {decode = @decode, batch = @decode, prefill = @prefill, head = @decode, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 544 : i64}

// PORTABLE-NOT: llvm.x86
// PORTABLE-NOT: dot_peak
// NOENGINE-NOT: tileloadd

// AVX2-LABEL: func.func private @dot_peak(
// AVX2: llvm.x86.avx2.pmadd.ub.sw
// AVX2-LABEL: func.func private @matmul_few_q8_0_16x32_m1(
// AVX2: llvm.x86.avx2.psign.b
// AVX2: llvm.x86.avx2.pmadd.wd
// AVX2: func.func private @matmul_rows_panel_q8_0_16x32_m4(

// AVX512-LABEL: func.func private @matmul_few_q8_0_16x32_m1(
// AVX512: llvm.x86.avx512.vpdpbusd.512
// AVX512: func.func private @matmul_rows_panel_q8_0_16x32_m8(

// AMX-LABEL: func.func private @decode(
// AMX-NOT: ldtilecfg
// AMX: return
// AMX-LABEL: func.func private @prefill(
// AMX: llvm.x86.ldtilecfg
// AMX: call @gemma_next_tile(
// AMX: llvm.x86.tilerelease
// AMX: call @gemma_phase_end(
// AMX: func.func private @matmul_engine_q8_0_16x32(
// AMX: llvm.x86.tdpbssd
