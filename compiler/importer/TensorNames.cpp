// SPDX-License-Identifier: Apache-2.0
// The name tables; see the header.
#include "compiler/importer/TensorNames.h"

namespace gemmac::importer {
namespace {

struct NamePair {
  const char *path, *gguf;
};

constexpr NamePair kGlobalNames[] = {
    {"embed_tokens.weight", "token_embd.weight"},
    {"norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
};

// Behind "layers.N." and "blk.N.", in front of ".weight".
constexpr NamePair kLayerNames[] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
};

// Longest first: the first that fits is taken off.
constexpr const char *kPrefixes[] = {
    "model.language_model.model.", "model.language_model.",
    "language_model.model.", "language_model.", "model."};

// Renames "FROM.N.part.weight" to "TO.N.part'.weight".
std::string renameLayer(llvm::StringRef name, llvm::StringRef from,
                        llvm::StringRef to, const char *NamePair::*fromPart,
                        const char *NamePair::*toPart) {
  llvm::StringRef rest = name;
  if (!rest.consume_front(from) || !rest.consume_back(".weight")) return "";
  auto [layer, part] = rest.split('.');
  for (const NamePair &pair : kLayerNames)
    if (part == pair.*fromPart)
      return (to + layer + "." + pair.*toPart + ".weight").str();
  return "";
}

}  // namespace

std::string ggufNameToPath(llvm::StringRef name) {
  for (const NamePair &pair : kGlobalNames)
    if (name == pair.gguf) return pair.path;
  std::string path =
      renameLayer(name, "blk.", "layers.", &NamePair::gguf, &NamePair::path);
  return path.empty() ? name.str() : path;
}

std::string pathToGgufName(llvm::StringRef path) {
  for (const NamePair &pair : kGlobalNames)
    if (path == pair.path) return pair.gguf;
  std::string name =
      renameLayer(path, "layers.", "blk.", &NamePair::path, &NamePair::gguf);
  return name.empty() ? path.str() : name;
}

std::string huggingFaceNameToPath(llvm::StringRef name) {
  for (const char *prefix : kPrefixes) {
    llvm::StringRef rest = name;
    if (!rest.consume_front(prefix)) continue;
    // "model.vision_tower.…" is no part of the language model.
    if (rest.starts_with("layers.") || rest.starts_with("embed_tokens.") ||
        rest == "norm.weight" || rest == "lm_head.weight" ||
        rest.starts_with("rotary_emb"))
      return rest.str();
    return name.str();
  }
  return name.str();
}

std::string nearestName(llvm::StringRef wanted,
                        const std::vector<std::string> &names) {
  unsigned best = wanted.size() / 3 + 1;
  std::string nearest;
  for (const std::string &name : names) {
    unsigned distance = wanted.edit_distance(name, true, best);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace gemmac::importer
