// LowerKernel alone, for the portable target where the target does not matter.
// RUN: gemmac-opt --gemmac-lower-kernel=target=portable --split-input-file %s | FileCheck %s
// RUN: gemmac-opt --gemmac-lower-kernel --split-input-file %s | FileCheck %s

// A phase asks for tiles until none is left; a tile calls its kernel, which has
// 16 lanes whatever the machine.
module {
  func.func private @step(%step: !kernel.step) {
    %n = kernel.row_count %step
    %x = kernel.arena %step at 0 : memref<?x64xf32>
    %y = kernel.arena %step at 4096 : memref<?x64xf32>
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.add_row %x, %y, %y[%t] : memref<?x64xf32>
    }
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// CHECK-LABEL: func.func private @step(
// CHECK-SAME: %[[STEP:.*]]: !llvm.ptr)
// CHECK: scf.while
// CHECK: %[[NEXT:.*]] = {{(func\.)?}}call @gemma_next_tile(
// CHECK: scf.condition(%{{.*}}) %[[NEXT]] : i64
// CHECK: ^bb0(%[[TILE:.*]]: i64):
// CHECK: call @add_64(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK: call @gemma_phase_end(
// CHECK-LABEL: func.func private @add_64(
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: scf.for
// CHECK: arith.addf %{{.*}}, %{{.*}} : vector<16xf32>

// -----

// Two segments are one loop over the tiles of both: the second's begin at 0.
module {
  func.func private @step(%step: !kernel.step) {
    %n = kernel.row_count %step
    %x = kernel.arena %step at 0 : memref<?x64xf32>
    kernel.phase %step tiles(%n, %n) {
    ^bb0(%t: index):
      kernel.add_row %x, %x, %x[%t] : memref<?x64xf32>
    }, {
    ^bb0(%t: index):
      kernel.geglu_row %x, %x, %x[%t] : memref<?x64xf32>
    }
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// CHECK-LABEL: func.func private @step(
// CHECK: %[[A:.*]] = arith.addi %{{.*}}, %[[FIRST:.*]] : i64
// CHECK: %[[BOTH:.*]] = arith.addi %[[A]], %[[SECOND:.*]] : i64
// CHECK: call @gemma_next_tile(%{{.*}}, %{{.*}}, %[[BOTH]])
// CHECK: ^bb0(%[[TILE:.*]]: i64):
// CHECK: %[[LESS:.*]] = arith.cmpi slt, %[[TILE]], %[[FIRST]]
// CHECK: scf.if %[[LESS]]
// CHECK: call @add_64(
// CHECK: } else {
// CHECK: arith.subi %[[TILE]], %[[FIRST]]
// CHECK: call @geglu_64(

// -----

// One kernel for what has the same attributes and types, whoever calls it, and
// another for another attribute.
module {
  func.func private @step(%step: !kernel.step) {
    %n = kernel.row_count %step
    %x = kernel.arena %step at 0 : memref<?x64xf32>
    %y = kernel.arena %step at 4096 : memref<?x64xf32>
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.softcap_row %x, %y[%t] {cap = 30.0 : f32} : memref<?x64xf32>, memref<?x64xf32>
      kernel.softcap_row %y, %x[%t] {cap = 30.0 : f32} : memref<?x64xf32>, memref<?x64xf32>
      kernel.softcap_row %x, %y[%t] {cap = 50.0 : f32} : memref<?x64xf32>, memref<?x64xf32>
    }
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// CHECK-LABEL: func.func private @step(
// CHECK: call @[[THIRTY:softcap_[0-9]+_64]](
// CHECK: call @[[THIRTY]](
// CHECK: call @[[FIFTY:softcap_[0-9]+_64]](
// CHECK: func.func private @[[THIRTY]](
// CHECK: func.func private @[[FIFTY]](
// CHECK-NOT: func.func private @softcap

// -----

// A symbol that the module came with is no kernel, whatever it is called.
module {
  func.func private @add_64(!kernel.step)
  func.func private @step(%step: !kernel.step) {
    %n = kernel.row_count %step
    %x = kernel.arena %step at 0 : memref<?x64xf32>
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.add_row %x, %x, %x[%t] : memref<?x64xf32>
    }
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// CHECK-LABEL: func.func private @step(
// CHECK: call @add_64_2(

// -----

// A weight is an offset into the weights section; in a layer of a kind it is an
// entry of a table. The ops that name weights go.
module {
  quantized.weight @a : !quantized.tensor<16x32, f32> {file = 0 : i64, offset = 0 : i64, source_bytes = 2048 : i64, source_format = "f32", packed_offset = 64 : i64}
  quantized.weight @b : !quantized.tensor<16x32, f32> {file = 0 : i64, offset = 2048 : i64, source_bytes = 2048 : i64, source_format = "f32", packed_offset = 4096 : i64}
  quantized.weight_table @layers [@a, @b] : !quantized.tensor<16x32, f32>
  func.func private @step(%step: !kernel.step) {
    %n = kernel.row_count %step
    %i = arith.constant 1 : index
    %x = kernel.arena %step at 0 : memref<?x32xf32>
    %y = kernel.arena %step at 4096 : memref<?x16xf32>
    %a = quantized.reference @b : !quantized.tensor<16x32, f32>
    %b = quantized.reference @layers[%i] : !quantized.tensor<16x32, f32>
    kernel.phase %step tiles(%n) {
    ^bb0(%t: index):
      kernel.matmul_tile %a, %x, %y[%t] rows %n {chunk_rows = 1, row_blocks = 1} : !quantized.tensor<16x32, f32>, memref<?x32xf32>, memref<?x16xf32>
      kernel.matmul_tile %b, %x, %y[%t] rows %n {chunk_rows = 1, row_blocks = 1} : !quantized.tensor<16x32, f32>, memref<?x32xf32>, memref<?x16xf32>
    }
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 8 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 0 : i64, kv_layers = [], arena_bytes = 8192 : i64, weight_bytes = 0 : i64}
}

// CHECK: llvm.mlir.global private constant @offsets_layers(dense<[64, 4096]> : tensor<2xi64>)
// CHECK-NOT: quantized.weight
// CHECK-LABEL: func.func private @step(
// CHECK: %[[OFFSET:.*]] = arith.constant 4096 : i64
// CHECK: llvm.getelementptr inbounds %{{.*}}[%[[OFFSET]]]
// CHECK: %[[TABLE:.*]] = llvm.mlir.addressof @offsets_layers
// CHECK: %[[ENTRY:.*]] = llvm.getelementptr inbounds %[[TABLE]]
// CHECK: llvm.load %[[ENTRY]]

// -----

// The export names its entry points, which build the context of a call, and the
// table of KV layers; nothing else can be seen from outside.
module {
  func.func private @step(%step: !kernel.step) {
    return
  }
  kernel.model @gemma_model_test {decode = @step, batch = @step, prefill = @step, head = @step, batch_rows = 8 : i64, prefill_rows = 512 : i64, head_rows = 32 : i64, vocabulary = 16 : i64, width = 64 : i64, context = 1024 : i64, kv_slots = 2 : i64, kv_layers = [{first_slot = 0 : i64, ring_blocks = 2 : i64, window = 100 : i64, block_bytes = 8192 : i64}], arena_bytes = 8192 : i64, weight_bytes = 4096 : i64}
}

// CHECK: llvm.mlir.global internal constant @gemma_kv_layers(dense<[0, 2, 100, 0, 8192, 0]> : tensor<6xi32>)
// CHECK: func.func private @step(%{{.*}}: !llvm.ptr) attributes {llvm.linkage = #llvm.linkage<internal>}
// CHECK: llvm.func internal @gemma_entry_decode(%[[STEP:.*]]: !llvm.ptr, %[[THREAD:.*]]: i32)
// CHECK: %[[CONTEXT:.*]] = llvm.alloca
// CHECK: llvm.store %[[STEP]], %[[CONTEXT]]
// CHECK: call @step(%[[CONTEXT]])
// CHECK: llvm.mlir.global external constant @gemma_model_test()
// CHECK-SAME: !llvm.struct<(i32, i32, ptr, ptr, ptr, ptr, ptr, i32,
// CHECK: llvm.mlir.addressof @gemma_entry_decode
// CHECK: %[[NONE:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK: llvm.insertvalue %[[NONE]], %{{.*}}[6]
// CHECK: %[[HEAD:.*]] = llvm.mlir.constant(32 : i32)
// CHECK: llvm.insertvalue %[[HEAD]], %{{.*}}[9]
// CHECK: llvm.mlir.addressof @gemma_kv_layers
