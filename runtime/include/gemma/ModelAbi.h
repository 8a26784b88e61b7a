// SPDX-License-Identifier: Apache-2.0
/* ModelAbi.h: the one contract between compiled code and the runtime.
 *
 * The compiler emits a `gemma_model_code` constant and the step functions that
 * it names; the runtime builds `gemma_step` arguments and calls them. Plain C,
 * <stdint.h> only: the compiler's side mirrors these layouts in LLVM types
 * (targets/cpu/ModelCode.cpp), and test/targets checks every offset.
 *
 * Dimension letters: T rows of one call, D model width, H query heads, K kv
 * heads, E head width, V vocabulary, S cached positions.
 */
#ifndef GEMMA_MODEL_ABI_H
#define GEMMA_MODEL_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GEMMA_ABI_VERSION 3u

/* Positions in one block of the KV cache, and keys that stand in lanes. */
#define GEMMA_KV_BLOCK 128
#define GEMMA_KV_LANES 16

/* One row of a call: one token of one session at one position. Rows of any
 * sessions may stand in one call; rows of one session in increasing position,
 * and every earlier position of that session was a row of this call or of an
 * earlier one. */
typedef struct gemma_row {
  int32_t token;       /* id in [0, V); ignored when embedding is set */
  int32_t position;    /* in [0, context) */
  int32_t visible_end; /* last position that the row sees, >= position; equals
                          position but inside an image block */
  int32_t reserved;
  const float *embedding; /* [D] in place of the token's (already scaled), or
                             NULL */
  void *const *kv;        /* the session's block table, kv_slots entries */
} gemma_row;

struct gemma_phase_state;

/* Arguments of one call; shared by all its threads and constant during it. */
typedef struct gemma_step {
  const gemma_row *rows;
  int64_t count;          /* T, at most the entry point's rows */
  const int32_t *wanted;  /* head, arg_max: indices into the rows of the last
                             step */
  int64_t wanted_count;   /* at most head_rows */
  const uint8_t *weights; /* base of the weights section, 64-byte aligned */
  uint8_t *arena;         /* arena_bytes, 64-byte aligned; the last step's
                             hidden rows live here until the next step */
  uint8_t *scratch;       /* scratch_bytes for each thread, 64-byte aligned */
  int64_t scratch_stride; /* bytes from one thread's scratch to the next */
  float *logits;          /* head: [wanted_count, V]; arg_max:
                             [wanted_count, 2], {logit, token} */
  struct gemma_phase_state *phase;
  int32_t threads;
  int32_t reserved;
} gemma_step;

/* Runs one entry point on thread `thread` of step->threads. All threads call
 * the same function with the same step; it returns after the last phase's
 * barrier. Does not allocate, throw or block but in that barrier. */
typedef void (*gemma_step_function)(const gemma_step *step, int32_t thread);

/* One layer's part of a session's block table. A block holds, per kv head:
 * K as [KV_BLOCK / 16][E][16 keys] and V as [KV_BLOCK][E], in the cache's
 * element type: all K heads' keys first, then all their values. Position p of
 * the layer lives in entry first_slot + (p / KV_BLOCK) % ring_blocks. */
typedef struct gemma_kv_layer {
  int32_t first_slot;
  int32_t ring_blocks; /* a full layer: context / KV_BLOCK, rounded up */
  int32_t window;      /* positions that a row sees, itself included; 0: all */
  int32_t reserved;
  int64_t block_bytes;
} gemma_kv_layer;

/* What a compiled model exports as `gemma_model_<name>`. */
typedef struct gemma_model_code {
  uint32_t abi_version;
  uint32_t struct_bytes;
  gemma_step_function decode;  /* 1 row */
  gemma_step_function batch;   /* up to batch_rows */
  gemma_step_function prefill; /* up to prefill_rows */
  gemma_step_function head;    /* final norm and logits of the wanted rows */
  gemma_step_function arg_max; /* in place of head: of each wanted row only the
                                  largest logit and its token, the lowest of
                                  equals; NaN is no number, and where there is
                                  none: -inf, 0. NULL: absent */
  int32_t batch_rows;
  int32_t prefill_rows;
  int32_t head_rows;
  int32_t vocabulary; /* V */
  int32_t width;      /* D */
  int32_t context;    /* positions in [0, context) */
  int32_t kv_layer_count;
  int32_t kv_slots; /* entries of a session's block table */
  const gemma_kv_layer *kv_layers;
  int64_t arena_bytes;
  int64_t scratch_bytes; /* for each thread */
  int64_t weight_bytes;
  const char *target;    /* "x86_64-avx2", … for messages */
  uint64_t cpu_features; /* GEMMA_CPU_* that the code needs */
  /* Does nothing but the target's fastest exact 8-bit products, in registers:
   * `rounds` times dot_peak_operations of them, a multiply-add being two.
   * Leaves up to 64 bytes of no meaning at `sink`. NULL: the code has no such
   * products. */
  void (*dot_peak)(int64_t rounds, void *sink);
  int64_t dot_peak_operations;
} gemma_model_code;

/* Bits of cpu_features; the runtime's start-up check knows each. */
#define GEMMA_CPU_AVX2_FMA_F16C_BMI (1ull << 0) /* x86-64-v3 */
#define GEMMA_CPU_AVX512_CORE (1ull << 1)       /* F BW DQ VL */
#define GEMMA_CPU_AVX512_VNNI (1ull << 2)
#define GEMMA_CPU_AMX_INT8 (1ull << 3) /* and TILE; asks for leave */

/* What compiled code calls; the runtime defines them.
 * gemma_next_tile: the next tile of the current phase for this thread, or a
 * value >= tiles when none is left. Every tile in [0, tiles) goes to exactly
 * one thread; which one changes no result.
 * gemma_phase_end: the barrier behind a phase; when it returns, all threads'
 * stores of that phase are visible to all. */
int64_t gemma_next_tile(const gemma_step *step, int32_t thread, int64_t tiles);
void gemma_phase_end(const gemma_step *step, int32_t thread);

/* The container: [linked code][padding to 64 KiB][sections][trailer]. The
 * trailer is the file's last bytes. Little-endian. Hashes are XXH3-64. */
#define GEMMA_CONTAINER_MAGIC "GEMMACv1"
#define GEMMA_CONTAINER_ALIGN 65536u
#define GEMMA_SECTION_ALIGN 4096u

enum {
  GEMMA_SECTION_METADATA = 0,  /* JSON, see docs/container.md */
  GEMMA_SECTION_TOKENIZER = 1, /* sentencepiece LITE blob, may be empty */
  GEMMA_SECTION_WEIGHTS = 2,
  GEMMA_SECTION_COUNT = 3
};

typedef struct gemma_section {
  uint64_t offset; /* from the container's start, a multiple of 4096 */
  uint64_t size;   /* bytes, without padding */
  uint64_t hash;
} gemma_section;

typedef struct gemma_trailer {
  gemma_section sections[GEMMA_SECTION_COUNT];
  uint64_t container_offset; /* in the file; a multiple of 64 KiB */
  uint64_t code_hash;        /* of the file's bytes [0, container_offset) */
  uint32_t version;          /* 1 */
  uint32_t trailer_bytes;    /* sizeof(gemma_trailer) */
  uint64_t trailer_hash;     /* of all bytes of the trailer before this one */
  char magic[8];
} gemma_trailer;

#ifdef __cplusplus
}
#endif
#endif
