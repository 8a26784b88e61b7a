# SPDX-License-Identifier: Apache-2.0
"""Tiny random Gemma 3 text models as fixtures of the end-to-end tests.

make_gemma3_text_fixtures.py OUT_DIR [NAME ...]: -> OUT_DIR/<name>/ with
checkpoint, tokens, logits and greedy ids, each fixture under 2 MB. Each covers
what the others do not (the comments say what); sizes are odd where the
architecture lets them be. No tokenizer: the tests feed ids.
Source: transformers, modeling_gemma3.py. Needs torch, transformers 5.
"""

import argparse
import os

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

import tiny_models


def rope(factor=None):
    """RoPE of both layer types; a factor stretches the full layers alone."""
    full = {"rope_type": "default", "rope_theta": 1e6}
    if factor:
        full = {"rope_type": "linear", "factor": factor, "rope_theta": 1e6}
    return {"full_attention": full,
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}


def asPublished(config):
    """The field names that the published checkpoints have (transformers 4):
    rope_theta, rope_local_base_freq, rope_scaling, sliding_window_pattern."""
    both = config.pop("rope_parameters")
    full = both["full_attention"]
    config["rope_theta"] = full["rope_theta"]
    config["rope_local_base_freq"] = both["sliding_attention"]["rope_theta"]
    config["rope_scaling"] = None
    if full["rope_type"] == "linear":
        config["rope_scaling"] = {"rope_type": "linear",
                                  "factor": full["factor"]}
    config["torch_dtype"] = config.pop("dtype")
    types = config.pop("layer_types")
    config.pop("_sliding_window_pattern", None)
    config["sliding_window_pattern"] = types.index("full_attention") + 1
    return config


SIZES = dict(vocab_size=160, hidden_size=64, intermediate_size=128,
             num_hidden_layers=4, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=16,
             sliding_window=5, sliding_window_pattern=3,
             max_position_embeddings=128, rope_parameters=rope())

# name: (sizes that differ from SIZES, T, seed, arguments of writeCheckpoint)
FIXTURES = {
    # Nothing is a multiple of 16 lanes; three kv heads of two query heads.
    "odd-sizes": (dict(vocab_size=1003, hidden_size=42, intermediate_size=136,
                       num_attention_heads=6, num_key_value_heads=3,
                       head_dim=24, query_pre_attn_scalar=24), 17, 1, {}),
    # Linear RoPE on the full layer, a score scale that is not head_dim's,
    # a layer count that the pattern does not divide; all of 32-column groups.
    "rope-factor": (dict(num_hidden_layers=7, sliding_window_pattern=6,
                         query_pre_attn_scalar=20,
                         rope_parameters=rope(8.0)), 23, 2, {}),
    # More than three blocks of 128 positions; a window longer than a block.
    "long-prompt": (dict(num_key_value_heads=1, head_dim=32,
                         query_pre_attn_scalar=32, sliding_window=150,
                         intermediate_size=96,
                         max_position_embeddings=1024), 430, 3, {}),
    # The same length with a window of one block edge and few kv reads.
    "long-narrow-window": (dict(hidden_size=32, intermediate_size=64,
                                head_dim=32, num_attention_heads=2,
                                num_key_value_heads=1, sliding_window=7,
                                max_position_embeddings=1024), 401, 4, {}),
    # bf16 weights; sqrt(96) is not a bf16 number, so its rounding would show.
    "bf16": (dict(hidden_size=96, num_hidden_layers=3), 19, 5,
             dict(dtype=torch.bfloat16)),
    # Several files and an index; config.json as the published models have it;
    # as many kv heads as query heads.
    "sharded": (dict(hidden_size=32, num_attention_heads=2,
                     num_key_value_heads=2, head_dim=32,
                     query_pre_attn_scalar=44, rope_parameters=rope(4.0)),
                18, 6, dict(shardBytes="100KB", editConfig=asPublished)),
    # A head of its own.
    "untied-head": (dict(vocab_size=203, hidden_size=32,
                         tie_word_embeddings=False), 16, 17, {}),
}


def makeFixture(folder, changes, count, seed, arguments):
    config = Gemma3TextConfig(**{**SIZES, **changes},
                              attn_implementation="eager")
    model = Gemma3ForCausalLM(config).float().eval()
    model = tiny_models.randomize(model, seed)
    ids = tiny_models.drawTokens(config.vocab_size, count, seed + 1000)
    direct = model(ids, use_cache=False).logits[0]
    tiny_models.emptyFolder(folder)
    reader = tiny_models.writeCheckpoint(folder, model, **arguments)
    logits = tiny_models.writeOutputs(folder, reader, ids)
    # The reader may differ by the rounding of the weights and nothing else.
    difference = (direct - logits).abs().max().item()
    allowed = 0.2 if "dtype" in arguments else 0.0
    if difference > allowed:
        raise SystemExit(f"{folder}: the reloaded model differs by "
                         f"{difference}, expected at most {allowed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("names", nargs="*", default=list(FIXTURES))
    arguments = parser.parse_args()
    for name in arguments.names or FIXTURES:
        makeFixture(os.path.join(arguments.out, name), *FIXTURES[name])


if __name__ == "__main__":
    main()
