// SPDX-License-Identifier: Apache-2.0
// The toy's step functions: two phases (store, then look back) and a head of
// one, each over gemma_next_tile, each ended by gemma_phase_end.
#include "test/runtime/FakeModel.h"

#include <string.h>

#include <algorithm>
#include <map>
#include <memory>

#include "runtime/model/Clock.h"

namespace gemma::test {
namespace {

struct Weights {
  alignas(64) uint8_t bytes[kFakeWeightBytes];
  Weights() {
    for (int64_t i = 0; i < kFakeWeightBytes; ++i)
      bytes[i] = static_cast<uint8_t>(i * 37 + (i >> 5));
  }
};

const Weights &weights() {
  static const Weights all;
  return all;
}

uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  return x ^ x >> 16;
}

// What a position stores in a layer's cache.
uint32_t stored(int32_t token, int32_t position, int layer, uint8_t weight) {
  return mix(static_cast<uint32_t>(token) * 8191u + position * 31u + layer) +
         weight;
}

uint8_t weightOf(const uint8_t *base, int32_t token) {
  return base[token % kFakeWeightBytes];
}

float logit(uint32_t hidden, int32_t v) {
  return static_cast<float>(mix(hidden ^ mix(v)) & 0xFFFF) / 4096.0f;
}

constexpr int32_t kFullBlocks = kFakeContext / GEMMA_KV_BLOCK;

const gemma_kv_layer kLayers[2] = {
    {0, kFullBlocks, 0, 0, GEMMA_KV_BLOCK * sizeof(uint32_t)},
    {kFullBlocks, kFakeRing, kFakeWindow, 0, GEMMA_KV_BLOCK * sizeof(uint32_t)},
};

uint32_t &slot(const gemma_row &row, const gemma_kv_layer &layer,
               int32_t position) {
  int32_t block = position / GEMMA_KV_BLOCK % layer.ring_blocks;
  auto *values = static_cast<uint32_t *>(row.kv[layer.first_slot + block]);
  return values[position % GEMMA_KV_BLOCK];
}

void runRows(const gemma_step *step, int32_t thread) {
  auto *hidden = reinterpret_cast<uint32_t *>(step->arena);
  int64_t i;
  while ((i = gemma_next_tile(step, thread, step->count)) < step->count) {
    const gemma_row &row = step->rows[i];
    for (int l = 0; l < 2; ++l)
      slot(row, kLayers[l], row.position) = stored(
          row.token, row.position, l, weightOf(step->weights, row.token));
  }
  gemma_phase_end(step, thread);
  // Scratch of this thread only: a wrong stride shows as a wrong sum.
  auto *sum = reinterpret_cast<uint32_t *>(step->scratch +
                                           thread * step->scratch_stride);
  while ((i = gemma_next_tile(step, thread, step->count)) < step->count) {
    const gemma_row &row = step->rows[i];
    *sum = 1;
    for (const gemma_kv_layer &layer : kLayers) {
      int32_t from =
          layer.window > 0 ? std::max(0, row.position - layer.window + 1) : 0;
      for (int32_t p = from; p <= row.visible_end; ++p)
        *sum = *sum * 31u + slot(row, layer, p);
    }
    hidden[i] = *sum;
  }
  gemma_phase_end(step, thread);
}

void decode(const gemma_step *step, int32_t thread) {
  if (thread == 0) ++fakeCalls().decode;
  runRows(step, thread);
}

void batch(const gemma_step *step, int32_t thread) {
  if (thread == 0) ++fakeCalls().batch;
  runRows(step, thread);
}

void prefill(const gemma_step *step, int32_t thread) {
  if (thread == 0) ++fakeCalls().prefill;
  runRows(step, thread);
}

template <int32_t kTile>
void head(const gemma_step *step, int32_t thread, int32_t vocabulary) {
  if (thread == 0) ++fakeCalls().head;
  auto *hidden = reinterpret_cast<const uint32_t *>(step->arena);
  int64_t tiles = (vocabulary + kTile - 1) / kTile, t;
  while ((t = gemma_next_tile(step, thread, tiles)) < tiles)
    for (int64_t w = 0; w < step->wanted_count; ++w)
      for (int64_t v = t * kTile;
           v < std::min<int64_t>((t + 1) * kTile, vocabulary); ++v)
        step->logits[w * vocabulary + v] =
            logit(hidden[step->wanted[w]], static_cast<int32_t>(v));
  gemma_phase_end(step, thread);
}

void argMax(const gemma_step *step, int32_t thread, int32_t vocabulary) {
  if (thread == 0) ++fakeCalls().argMax;
  auto *hidden = reinterpret_cast<const uint32_t *>(step->arena);
  int64_t w;
  while ((w = gemma_next_tile(step, thread, step->wanted_count)) <
         step->wanted_count) {
    int32_t best = 0;
    uint32_t state = hidden[step->wanted[w]];
    for (int32_t v = 1; v < vocabulary; ++v)
      if (logit(state, v) > logit(state, best)) best = v;
    step->logits[2 * w] = logit(state, best);
    step->logits[2 * w + 1] = static_cast<float>(best);
  }
  gemma_phase_end(step, thread);
}

// A step function carries no context: two vocabularies are enough for tests.
void headSmall(const gemma_step *step, int32_t thread) {
  head<5>(step, thread, 64);
}
void argMaxSmall(const gemma_step *step, int32_t thread) {
  argMax(step, thread, 64);
}
int32_t largeVocabulary = 0;
void headLarge(const gemma_step *step, int32_t thread) {
  head<64>(step, thread, largeVocabulary);
}
void argMaxLarge(const gemma_step *step, int32_t thread) {
  argMax(step, thread, largeVocabulary);
}

void dotPeak(int64_t rounds, void *sink) {
  // A thousand operations in 10 ns.
  double end = monotonicSeconds() + 1e-8 * static_cast<double>(rounds);
  while (monotonicSeconds() < end) *static_cast<char *>(sink) = 0;
}

}  // namespace

FakeCalls &fakeCalls() {
  static FakeCalls calls;
  return calls;
}

const gemma_model_code &fakeModel(int32_t vocabulary, bool argMax) {
  static std::map<std::pair<int32_t, bool>, std::unique_ptr<gemma_model_code>>
      models;
  auto &model = models[{vocabulary, argMax}];
  if (model != nullptr) return *model;
  if (vocabulary != 64) largeVocabulary = vocabulary;
  model = std::make_unique<gemma_model_code>(
      gemma_model_code{GEMMA_ABI_VERSION,
                       sizeof(gemma_model_code),
                       decode,
                       batch,
                       prefill,
                       vocabulary == 64 ? headSmall : headLarge,
                       !argMax            ? nullptr
                       : vocabulary == 64 ? argMaxSmall
                                          : argMaxLarge,
                       kFakeBatchRows,
                       kFakePrefillRows,
                       kFakeHeadRows,
                       vocabulary,
                       1,
                       kFakeContext,
                       2,
                       kFullBlocks + kFakeRing,
                       kLayers,
                       kFakePrefillRows * 4,
                       4,
                       kFakeWeightBytes,
                       "fake",
                       0,
                       dotPeak,
                       1000});
  return *model;
}

std::span<const uint8_t> fakeWeights() { return weights().bytes; }

std::vector<float> fakeLogits(std::span<const int32_t> tokens,
                              int32_t vocabulary) {
  auto last = static_cast<int32_t>(tokens.size()) - 1;
  uint32_t hidden = 1;
  for (int l = 0; l < 2; ++l) {
    int32_t from = l == 0 ? 0 : std::max(0, last - kFakeWindow + 1);
    for (int32_t p = from; p <= last; ++p)
      hidden = hidden * 31u +
               stored(tokens[p], p, l, weightOf(weights().bytes, tokens[p]));
  }
  std::vector<float> logits(vocabulary);
  for (int32_t v = 0; v < vocabulary; ++v) logits[v] = logit(hidden, v);
  return logits;
}

}  // namespace gemma::test
