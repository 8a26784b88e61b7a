// SPDX-License-Identifier: Apache-2.0
// Loading of a model: every figure of gemma_model_code that the runtime will
// compute with is checked here, once, so that the hot paths need not.
#include "runtime/model/Model.h"

#include <algorithm>
#include <string>

#include "runtime/model/CpuFeatures.h"

namespace gemma {
namespace {

Status wrong(const char *what, int64_t expected, int64_t found) {
  return Status(Code::InvalidInput, "model code: expected " +
                                        std::string(what) + " " +
                                        std::to_string(expected) + ", found " +
                                        std::to_string(found));
}

Status checkCode(const gemma_model_code &code) {
  if (code.abi_version != GEMMA_ABI_VERSION)
    return wrong("ABI version", GEMMA_ABI_VERSION, code.abi_version);
  if (code.struct_bytes != sizeof(code))
    return wrong("struct size", sizeof(code), code.struct_bytes);
  Status machine = checkMachine(code);
  if (!machine.ok()) return machine;
  bool sizes = code.decode && code.batch && code.prefill && code.head &&
               code.batch_rows >= 1 && code.prefill_rows >= code.batch_rows &&
               code.head_rows >= 1 && code.vocabulary >= 1 && code.width >= 1 &&
               code.context >= 1 && code.kv_layer_count >= 0 &&
               code.kv_slots >= 0 && code.arena_bytes >= 0 &&
               code.scratch_bytes >= 0 && code.weight_bytes >= 0;
  if (!sizes)
    return Status(Code::InvalidInput,
                  "model code: a size or function is missing");
  for (int32_t i = 0; i < code.kv_layer_count; ++i) {
    const gemma_kv_layer &layer = code.kv_layers[i];
    bool good = layer.first_slot >= 0 && layer.ring_blocks >= 1 &&
                layer.first_slot <= code.kv_slots - layer.ring_blocks &&
                layer.window >= 0 && layer.block_bytes > 0;
    if (!good)
      return Status(Code::InvalidInput,
                    "model code: cache layer " + std::to_string(i) +
                        " does not fit into " + std::to_string(code.kv_slots) +
                        " slots");
  }
  return {};
}

}  // namespace

Status checkMachine(const gemma_model_code &code) {
  uint64_t missing = missingCpuFeatures(code.cpu_features);
  if (missing == 0) return {};
  char line[256];
  size_t length = describeMissing(code.target, missing, line, sizeof(line));
  // The line is the start-up check's: "error: …\n".
  std::string_view text(line, length - 1);
  return Status(Code::WrongMachine,
                std::string(text.substr(text.find(' ') + 1)));
}

Status Model::open(const gemma_model_code &code, const char *path,
                   bool prefault) {
  Status status = checkCode(code);
  if (status.ok()) status = file.open(path);
  if (!status.ok()) return status;
  auto metadata = file.section(GEMMA_SECTION_METADATA);
  std::string_view text(reinterpret_cast<const char *>(metadata.data()),
                        metadata.size());
  status = load(code, text, file.section(GEMMA_SECTION_TOKENIZER),
                file.section(GEMMA_SECTION_WEIGHTS));
  if (status.ok() && prefault) file.prefaultWeights();
  return status;
}

Status Model::load(const gemma_model_code &code, std::string_view metadata,
                   std::span<const uint8_t> tokenizer,
                   std::span<const uint8_t> weights) {
  Status status = checkCode(code);
  if (!status.ok()) return status;
  if (static_cast<int64_t>(weights.size()) != code.weight_bytes)
    return Status(Code::InvalidInput,
                  "weights: expected " + std::to_string(code.weight_bytes) +
                      " bytes, found " + std::to_string(weights.size()));
  Result<Metadata> parsed = Metadata::parse(metadata, code.vocabulary);
  if (!parsed.ok()) return parsed.status();
  facts = std::move(*parsed);
  if (!tokenizer.empty() && !pieces.load(tokenizer.data(), tokenizer.size()))
    return Status(Code::InvalidInput,
                  "tokenizer: the section is not a tokenizer");
  compiled = &code;
  weightBytes = weights.data();
  return {};
}

int64_t Model::cacheBytes(int64_t positions) const {
  int64_t bytes = 0;
  int64_t blocks = (positions + GEMMA_KV_BLOCK - 1) / GEMMA_KV_BLOCK;
  for (int32_t i = 0; i < compiled->kv_layer_count; ++i) {
    const gemma_kv_layer &layer = compiled->kv_layers[i];
    bytes += std::min<int64_t>(blocks, layer.ring_blocks) * layer.block_bytes;
  }
  return bytes;
}

}  // namespace gemma
