// SPDX-License-Identifier: Apache-2.0
#include "test/importer/CheckpointWriter.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using Json = nlohmann::json;

namespace gemmac::importer::test {

TemporaryFolder::TemporaryFolder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "importer-XXXXXX").string();
  path = mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path); }

std::string TemporaryFolder::write(const std::string &name,
                                   const std::string &bytes) const {
  std::string file = path + "/" + name;
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

std::string ggufString(const std::string &text) {
  return bytesOf<uint64_t>(text.size()) + text;
}

void GgufWriter::u32(const std::string &key, uint32_t value) {
  values.push_back(ggufString(key) + bytesOf<uint32_t>(4) + bytesOf(value));
}

void GgufWriter::u16(const std::string &key, uint16_t value) {
  values.push_back(ggufString(key) + bytesOf<uint32_t>(2) + bytesOf(value));
}

void GgufWriter::f32(const std::string &key, float value) {
  values.push_back(ggufString(key) + bytesOf<uint32_t>(6) + bytesOf(value));
}

void GgufWriter::string(const std::string &key, const std::string &value) {
  values.push_back(ggufString(key) + bytesOf<uint32_t>(8) + ggufString(value));
}

void GgufWriter::tensor(const std::string &name, std::vector<uint64_t> shape) {
  uint64_t bytes = 4;
  for (uint64_t size : shape) bytes *= size;
  tensors.push_back({name, {shape.rbegin(), shape.rend()}, 0, dataBytes});
  dataBytes += (bytes + 31) / 32 * 32;
}

std::string GgufWriter::bytes() const {
  std::string out = magic + bytesOf(version) +
                    bytesOf<uint64_t>(tensors.size() + extraTensors) +
                    bytesOf<uint64_t>(values.size() + extraValues);
  for (const std::string &value : values) out += value;
  for (const GgufTensorEntry &entry : tensors) {
    out += ggufString(entry.name) + bytesOf<uint32_t>(entry.dimensions.size());
    for (uint64_t size : entry.dimensions) out += bytesOf(size);
    out += bytesOf(entry.type) + bytesOf(entry.offset);
  }
  out.resize((out.size() + 31) / 32 * 32 + dataBytes);
  return out;
}

GgufWriter tinyGguf() {
  GgufWriter file;
  file.string("general.architecture", "gemma3");
  file.string("general.name", "tiny");
  for (auto [key, value] : std::vector<std::pair<const char *, uint32_t>>{
           {"context_length", 128},
           {"embedding_length", 32},
           {"block_count", 2},
           {"feed_forward_length", 64},
           {"attention.head_count", 2},
           {"attention.head_count_kv", 1},
           {"attention.key_length", 16},
           {"attention.value_length", 16},
           {"attention.sliding_window", 4},
           {"attention.sliding_window_pattern", 2}})
    file.u32(std::string("gemma3.") + key, value);
  file.f32("gemma3.attention.layer_norm_rms_epsilon", 1e-6f);
  file.tensor("token_embd.weight", {48, 32});
  file.tensor("output_norm.weight", {32});
  for (int layer = 0; layer < 2; ++layer) {
    std::string at = "blk." + std::to_string(layer) + ".";
    for (const char *norm :
         {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"})
      file.tensor(at + norm + ".weight", {32});
    for (const char *norm : {"attn_q_norm", "attn_k_norm"})
      file.tensor(at + norm + ".weight", {16});
    file.tensor(at + "attn_q.weight", {32, 32});
    file.tensor(at + "attn_k.weight", {16, 32});
    file.tensor(at + "attn_v.weight", {16, 32});
    file.tensor(at + "attn_output.weight", {32, 32});
    file.tensor(at + "ffn_gate.weight", {64, 32});
    file.tensor(at + "ffn_up.weight", {64, 32});
    file.tensor(at + "ffn_down.weight", {32, 64});
  }
  return file;
}

Json tinyConfig() {
  return {{"model_type", "gemma3_text"},
          {"vocab_size", 48},
          {"hidden_size", 32},
          {"intermediate_size", 64},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 2},
          {"num_key_value_heads", 1},
          {"head_dim", 16},
          {"max_position_embeddings", 128},
          {"sliding_window", 4},
          {"query_pre_attn_scalar", 16},
          {"sliding_window_pattern", 2},
          {"torch_dtype", "float32"}};
}

Json tinyShapes() {
  Json shapes = {{"model.embed_tokens.weight", {48, 32}},
                 {"model.norm.weight", {32}}};
  for (int layer = 0; layer < 2; ++layer) {
    std::string at = "model.layers." + std::to_string(layer) + ".";
    for (const char *norm :
         {"input_layernorm", "post_attention_layernorm",
          "pre_feedforward_layernorm", "post_feedforward_layernorm"})
      shapes[at + norm + ".weight"] = {32};
    for (const char *norm : {"self_attn.q_norm", "self_attn.k_norm"})
      shapes[at + norm + ".weight"] = {16};
    shapes[at + "self_attn.q_proj.weight"] = {32, 32};
    shapes[at + "self_attn.k_proj.weight"] = {16, 32};
    shapes[at + "self_attn.v_proj.weight"] = {16, 32};
    shapes[at + "self_attn.o_proj.weight"] = {32, 32};
    shapes[at + "mlp.gate_proj.weight"] = {64, 32};
    shapes[at + "mlp.up_proj.weight"] = {64, 32};
    shapes[at + "mlp.down_proj.weight"] = {32, 64};
  }
  return shapes;
}

std::string safetensorsBytes(const std::string &header, uint64_t dataBytes) {
  return bytesOf<uint64_t>(header.size()) + header +
         std::string(dataBytes, '\0');
}

std::string safetensorsOf(const Json &shapes) {
  Json header = Json::object();
  uint64_t at = 0;
  for (const auto &[name, shape] : shapes.items()) {
    uint64_t bytes = 4;
    for (uint64_t size : shape) bytes *= size;
    header[name] = {
        {"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  return safetensorsBytes(header.dump(), at);
}

}  // namespace gemmac::importer::test
