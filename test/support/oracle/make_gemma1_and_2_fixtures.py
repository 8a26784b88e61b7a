# SPDX-License-Identifier: Apache-2.0
"""Tiny random Gemma 1 and 2 text models as fixtures of the end-to-end tests.

make_gemma1_and_2_fixtures.py OUT_DIR [NAME ...]: -> OUT_DIR/<name>/ with
checkpoint, tokens, logits and greedy ids, each fixture under 2 MB. Sizes are
odd where the architecture lets them be. Gemma 2's weights are large enough for
its softcaps to matter, which is checked. No tokenizer: the tests feed ids.
Source: transformers, modeling_gemma.py and modeling_gemma2.py. Needs torch,
transformers 5.
"""

import argparse
import os

from transformers import Gemma2ForCausalLM, GemmaForCausalLM

import tiny_models

# A cap that moves no logit by this much is no test of it.
LEAST_EFFECT = 0.05

SIZES = dict(vocab_size=160, hidden_size=64, intermediate_size=128,
             num_hidden_layers=4, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16, max_position_embeddings=128,
             rope_parameters={"rope_type": "default", "rope_theta": 1e4})
ODD = dict(vocab_size=1003, hidden_size=42, intermediate_size=136,
           num_attention_heads=6, num_key_value_heads=3, head_dim=24)
LONG = dict(num_key_value_heads=1, head_dim=32, max_position_embeddings=1024)


def asPublished(config):
    """The field names of the first checkpoints (transformers 4)."""
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)
    if config["model_type"] == "gemma":
        # It said "gelu" and meant the tanh form.
        config["hidden_act"] = "gelu"
        config["hidden_activation"] = None
    return config


# name: (model class, sizes that differ from SIZES, T, seed, writeCheckpoint's)
FIXTURES = {
    # Nothing is a multiple of 16 lanes; three kv heads of two query heads.
    "gemma1-odd-sizes": (GemmaForCausalLM, ODD, 17, 31, {}),
    # More than three blocks of 128 positions; one kv head, as the 2B.
    "gemma1-long-prompt": (GemmaForCausalLM, LONG, 430, 32,
                           dict(editConfig=asPublished)),
    # As many kv heads as query heads, as the 7B; another base of the angles.
    "gemma1-many-kv": (GemmaForCausalLM, dict(
        num_key_value_heads=4, head_dim=24, rope_parameters={
            "rope_type": "default", "rope_theta": 5e5}), 21, 33, {}),
    # A window within the prompt, a score scale that is not head_dim's.
    "gemma2-odd-sizes": (Gemma2ForCausalLM, dict(
        ODD, sliding_window=5, query_pre_attn_scalar=20), 17, 41, {}),
    # A window longer than a block of positions; an odd number of layers.
    "gemma2-long-prompt": (Gemma2ForCausalLM, dict(
        LONG, num_hidden_layers=3, sliding_window=150,
        query_pre_attn_scalar=32), 430, 42, dict(editConfig=asPublished)),
    "gemma2-long-narrow-window": (Gemma2ForCausalLM, dict(
        LONG, num_hidden_layers=3, hidden_size=32, intermediate_size=72,
        num_attention_heads=2, sliding_window=7, query_pre_attn_scalar=16), 401,
        45, {}),
    # Caps that are not the class's, one of them absent.
    "gemma2-one-cap": (Gemma2ForCausalLM, dict(
        sliding_window=9, query_pre_attn_scalar=16,
        attn_logit_softcapping=7.0, final_logit_softcapping=None), 23, 44, {}),
}


def enlarge(model):
    """Scores and logits that reach their caps of 50 and 30. Of the layers one
    of each kind, the first: a sharp softmax also enlarges rounding errors."""
    for layer in model.model.layers[:2]:
        layer.self_attn.q_proj.weight.data.mul_(2)
        layer.self_attn.k_proj.weight.data.mul_(2)
    model.model.norm.weight.data.add_(1).mul_(3).sub_(1)


def setCap(model, name, cap):
    setattr(model.config, name, cap)
    if name == "attn_logit_softcapping":
        for layer in model.model.layers:
            layer.self_attn.attn_logit_softcapping = cap


def checkCaps(folder, model, ids, logits):
    """Each cap, taken away, changes the logits."""
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        cap = getattr(model.config, name)
        if cap is None:
            continue
        setCap(model, name, None)
        effect = (model(ids, use_cache=False).logits[0] - logits).abs().max()
        setCap(model, name, cap)
        if effect < LEAST_EFFECT:
            raise SystemExit(f"{folder}: without {name} the logits move by "
                             f"{effect}, expected at least {LEAST_EFFECT}")


def makeFixture(folder, Model, changes, count, seed, arguments):
    config = Model.config_class(**{**SIZES, **changes},
                                attn_implementation="eager")
    model = Model(config).float().eval()
    model = tiny_models.randomize(model, seed)
    isGemma2 = Model is Gemma2ForCausalLM
    if isGemma2:
        enlarge(model)
    ids = tiny_models.drawTokens(config.vocab_size, count, seed + 1000)
    direct = model(ids, use_cache=False).logits[0]
    tiny_models.emptyFolder(folder)
    reader = tiny_models.writeCheckpoint(folder, model, **arguments)
    logits = tiny_models.writeOutputs(folder, reader, ids)
    difference = (direct - logits).abs().max().item()
    if difference > 0:
        raise SystemExit(f"{folder}: the reloaded model differs by "
                         f"{difference}, expected the same")
    if isGemma2:
        checkCaps(folder, reader, ids, logits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("names", nargs="*", default=list(FIXTURES))
    arguments = parser.parse_args()
    for name in arguments.names or FIXTURES:
        makeFixture(os.path.join(arguments.out, name), *FIXTURES[name])


if __name__ == "__main__":
    main()
