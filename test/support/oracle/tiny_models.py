# SPDX-License-Identifier: Apache-2.0
"""What all makers of fixtures share: tiny random Gemma models and their files.

A Hugging Face model -> every tensor drawn at random (randomize), its greedy
continuation (continueGreedily), and the files that tests read without Python
(writeCheckpoint, writeOutputs). It knows no architecture. Needs torch,
transformers 5 (4 ignores rope_parameters without a word), safetensors.
"""

import json
import math
import os
import shutil

import numpy
import torch
import transformers

if int(transformers.__version__.split(".")[0]) < 5:
    raise SystemExit(
        f"expected transformers 5, found {transformers.__version__}")

torch.set_grad_enabled(False)

# Prompts are drawn from the ids above padding, end and beginning of text.
FIRST_PLAIN_ID = 3

# Fixtures whose greedy choice hangs on less than this are refused: an engine
# may differ by 1e-3 in each of the two logits that it compares.
SMALLEST_MARGIN = 4e-3

LARGEST_FIXTURE = 2_000_000

# Norms whose gain is 1 + w are drawn around 0, all others around 1.
ZERO_CENTRED_NORMS = ("GemmaRMSNorm", "Gemma2RMSNorm", "Gemma3RMSNorm",
                      "VaultGemmaRMSNorm")


def randomize(model, seed):
    """Draws every parameter so that no term of the graph is a no-op (the
    library's own initial gains are) and activations stay near 1."""
    generator = torch.Generator().manual_seed(seed)
    centres = {}
    for name, module in model.named_modules():
        if "RMSNorm" in type(module).__name__ and hasattr(module, "weight"):
            isZero = type(module).__name__ in ZERO_CENTRED_NORMS
            centres[name + ".weight"] = 0.0 if isZero else 1.0
    for name, parameter in model.named_parameters():
        draw = torch.randn(parameter.shape, generator=generator)
        if name in centres:
            value = centres[name] + 0.2 * draw
        elif "embed_tokens" in name:
            value = 0.8 / math.sqrt(parameter.shape[-1]) * draw
        else:
            value = draw / math.sqrt(parameter.shape[-1])
        parameter.data.copy_(value)
    return model


def drawTokens(vocabulary, count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(FIRST_PLAIN_ID, vocabulary, (1, count),
                         generator=generator)


def continueGreedily(model, ids, steps):
    """The next `steps` arg-max ids without a cache, and the smallest gap
    between the best and the second-best logit on the way."""
    margin = float("inf")
    for _ in range(steps):
        logits = model(ids, use_cache=False).logits[0, -1]
        best = logits.topk(2).values
        margin = min(margin, (best[0] - best[1]).item())
        ids = torch.cat([ids, logits.argmax().reshape(1, 1)], 1)
    return ids[0, -steps:].tolist(), margin


def writeCheckpoint(folder, model, *, shardBytes=None, editConfig=None,
                    dtype=torch.float32):
    """config.json and safetensors in `dtype`; `editConfig` rewrites the
    configuration. Returns the model that a reader of them gets, in f32."""
    shards = {"max_shard_size": shardBytes} if shardBytes else {}
    model.to(dtype).save_pretrained(folder, **shards)
    path = os.path.join(folder, "config.json")
    with open(path) as file:
        config = json.load(file)
    del config["transformers_version"]
    if editConfig:
        config = editConfig(config)
    dumpJson(path, config, indent=2)
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()


def writeOutputs(folder, model, ids, steps=8):
    """tokens.json, logits.npy [T, V] and greedy.json; returns the logits."""
    logits = model(ids, use_cache=False).logits[0]
    generated, margin = continueGreedily(model, ids, steps)
    if margin < SMALLEST_MARGIN:
        raise SystemExit(f"{folder}: expected a greedy margin of at least "
                         f"{SMALLEST_MARGIN}, found {margin}; change the seed")
    dumpJson(os.path.join(folder, "tokens.json"), ids[0].tolist())
    dumpJson(os.path.join(folder, "greedy.json"), generated)
    numpy.save(os.path.join(folder, "logits.npy"), logits.numpy())
    print(f"{folder}: logits {tuple(logits.shape)}, largest "
          f"{logits.abs().max():.3f}, greedy margin {margin:.4f}, "
          f"{folderBytes(folder)} bytes")
    if folderBytes(folder) > LARGEST_FIXTURE:
        raise SystemExit(f"{folder}: expected at most {LARGEST_FIXTURE} bytes")
    return logits


def emptyFolder(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def folderBytes(folder):
    return sum(entry.stat().st_size for entry in os.scandir(folder))


def dumpJson(path, value, indent=None):
    with open(path, "w") as file:
        json.dump(value, file, indent=indent)
        file.write("\n")
