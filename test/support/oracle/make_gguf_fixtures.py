# SPDX-License-Identifier: Apache-2.0
"""Tiny random Gemma 1, 2 and 3 text models in GGUF that mix block formats.

make_gguf_fixtures.py OUT_DIR [NAME ...]: -> OUT_DIR/<name>/ with model.gguf (no
tokenizer), and the logits and greedy ids that Hugging Face computes in f32 from
the weights as gguf-py dequantises them. Formats change from layer to layer, as
in real files. The K formats' blocks are drawn as bits: nothing here quantises
to them. Needs gguf, torch, transformers 5.
Source: gguf-py, quants.py (block layouts); llama.cpp, convert_hf_to_gguf.py,
GemmaModel to Gemma3Model (names; gains stored as 1 + w).
"""

import argparse
import os

import gguf
import numpy
import torch
from gguf import GGMLQuantizationType as Format
from transformers import (Gemma2ForCausalLM, Gemma3ForCausalLM,
                          GemmaForCausalLM)

import tiny_models

ONE_ROPE = {"rope_type": "default", "rope_theta": 1e4}

# GGUF has no field for the pattern: in Gemma 3 a full layer follows five
# sliding ones, in Gemma 2 one. 256 columns are the K formats' block.
SIZES = dict(vocab_size=160, hidden_size=256, intermediate_size=256,
             num_attention_heads=2, num_key_value_heads=1, head_dim=32,
             max_position_embeddings=512)

# name: (model class, general.architecture, sizes beside SIZES, T, seed)
FIXTURES = {
    "gguf-mixed": (Gemma3ForCausalLM, "gemma3", dict(
        num_hidden_layers=7, query_pre_attn_scalar=32, sliding_window=9,
        sliding_window_pattern=6, rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": ONE_ROPE}), 21, 8),
    # Three layers take every format of FORMATS once or twice.
    "gemma1-gguf": (GemmaForCausalLM, "gemma", dict(
        num_hidden_layers=3, rope_parameters=ONE_ROPE), 21, 51),
    "gemma2-gguf": (Gemma2ForCausalLM, "gemma2", dict(
        num_hidden_layers=3, query_pre_attn_scalar=32, sliding_window=9,
        rope_parameters=ONE_ROPE, attn_logit_softcapping=5.0,
        final_logit_softcapping=4.0), 22, 52),
}

# Taken in turn, over all matrices of 256 columns. attn_output has 64.
FORMATS = (Format.Q4_K, Format.Q5_0, Format.Q6_K, Format.Q8_0, Format.Q5_K,
           Format.Q4_0, Format.Q4_1, Format.Q5_1, Format.F16, Format.BF16)
NARROW_FORMATS = (Format.Q5_0, Format.Q8_0, Format.Q4_0)

GAINS = {"input_layernorm": "attn_norm",
         "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm",
         "post_attention_layernorm": "post_attention_norm",
         "pre_feedforward_layernorm": "ffn_norm",
         "post_feedforward_layernorm": "post_ffw_norm"}
# In Gemma 1 the name's norm stands in front of the MLP.
GEMMA1_GAINS = {"input_layernorm": "attn_norm",
                "post_attention_layernorm": "ffn_norm"}
MATRICES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
            "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
            "mlp.down_proj": "ffn_down"}


def halves(values):
    return numpy.asarray(values, "<f2").view(numpy.uint8)


def drawKBlocks(format, rows, columns, generator):
    """Random bits with super-scales that give weights of variance about
    1 / columns: codes and sub-scales take every value."""
    blocks = rows * columns // 256
    size = gguf.GGML_QUANT_SIZES[format][1]
    data = generator.integers(0, 256, (blocks, size), numpy.uint8)
    goal = 1 / columns**0.5
    if format == Format.Q6_K:
        # Sub-scales are s8 of spread 74, codes of spread 18.
        data[:, -2:] = halves(numpy.full((blocks, 1), goal / 1300))
    else:
        # Weights d·sc·q − dmin·m: dmin centres them where m is like sc.
        top = 15 if format == Format.Q4_K else 31
        d = goal / (15 * top)
        data[:, 0:2] = halves(numpy.full((blocks, 1), d))
        data[:, 2:4] = halves(numpy.full((blocks, 1), d * top / 2))
    return data.reshape(rows, -1)


def writeMatrix(writer, name, values, format, generator):
    """Adds the tensor and returns it as a reader dequantises it."""
    rows, columns = values.shape
    if format in (Format.Q4_K, Format.Q5_K, Format.Q6_K):
        data = drawKBlocks(format, rows, columns, generator)
    else:
        data = gguf.quants.quantize(values, format)
    writer.add_tensor(name, data, raw_dtype=format)
    return gguf.quants.dequantize(data, format).reshape(rows, columns)


def writeHeader(writer, architecture, config):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    # Converters write each key for the architectures that have it.
    if architecture == "gemma3":
        writer.add_rope_freq_base(1e6)
    if architecture != "gemma":
        writer.add_sliding_window(config.sliding_window)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)


def writeGguf(path, model, architecture, generator):
    """Writes the model and sets its weights to what the file says."""
    writer = gguf.GGUFWriter(path, architecture)
    writeHeader(writer, architecture, model.config)
    gains = GEMMA1_GAINS if architecture == "gemma" else GAINS

    def writeGain(name, parameter):
        stored = parameter.data.numpy() + numpy.float32(1)
        writer.add_tensor(name, stored)
        parameter.data = torch.from_numpy(stored - numpy.float32(1))

    def store(name, parameter, format):
        parameter.data = torch.from_numpy(writeMatrix(
            writer, name, parameter.data.numpy(), format, generator))

    writeGain("output_norm.weight", model.model.norm.weight)
    store("token_embd.weight", model.model.embed_tokens.weight, Format.Q8_0)
    used = 0
    for index, layer in enumerate(model.model.layers):
        for ours, theirs in gains.items():
            if architecture == "gemma2" and ours.startswith("self_attn."):
                continue  # norms of queries and keys are Gemma 3's
            writeGain(f"blk.{index}.{theirs}.weight",
                      layer.get_submodule(ours).weight)
        for ours, theirs in MATRICES.items():
            weight = layer.get_submodule(ours).weight
            choice = FORMATS if weight.shape[1] == 256 else NARROW_FORMATS
            store(f"blk.{index}.{theirs}.weight", weight,
                  choice[used % len(choice)])
            used += 1
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def makeFixture(folder, Model, architecture, sizes, count, seed):
    tiny_models.emptyFolder(folder)
    config = Model.config_class(**SIZES, **sizes, attn_implementation="eager")
    model = Model(config).float().eval()
    model = tiny_models.randomize(model, seed=seed)
    writeGguf(os.path.join(folder, "model.gguf"), model, architecture,
              numpy.random.default_rng(seed))
    ids = tiny_models.drawTokens(config.vocab_size, count, seed=seed + 1000)
    tiny_models.writeOutputs(folder, model, ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("names", nargs="*", default=list(FIXTURES))
    arguments = parser.parse_args()
    for name in arguments.names or FIXTURES:
        makeFixture(os.path.join(arguments.out, name), *FIXTURES[name])


if __name__ == "__main__":
    main()
