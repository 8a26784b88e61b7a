# SPDX-License-Identifier: Apache-2.0
"""Perplexity of a text by Hugging Face transformers, in llama.cpp's manner.

make_perplexity_reference.py HF_DIR TEXT OUT.json: windows of 512 tokens of the
text with BOS in front, each opened by BOS in place of its first token; the last
255 predictions of a window count. OUT gets the figure and the token ids of each
window. f32, eager attention, sums in f64; no sliding evaluation and no stride.
Source: llama.cpp, tools/perplexity/perplexity.cpp. Needs torch, transformers.
"""

import argparse
import json
import math

import torch
import transformers

WINDOW = 512
WINDOWS = 12
FIRST_SCORED = WINDOW // 2


def splitIntoWindows(ids, bosId):
    """WINDOWS lists of WINDOW ids, each opened by BOS."""
    if len(ids) < WINDOWS * WINDOW:
        raise SystemExit(f"expected a text of at least {WINDOWS * WINDOW} "
                         f"tokens, found {len(ids)}")
    starts = range(0, WINDOWS * WINDOW, WINDOW)
    return [[bosId] + ids[s + 1 : s + WINDOW] for s in starts]


def negativeLogLikelihood(model, window):
    """The summed -log p of window[FIRST_SCORED + 1:], given what precedes."""
    logits = model(torch.tensor([window])).logits[0, FIRST_SCORED:-1]
    logP = torch.log_softmax(logits.double(), dim=-1)
    wanted = torch.tensor(window[FIRST_SCORED + 1 :])
    return -logP.gather(1, wanted[:, None]).sum().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("hf_dir")
    parser.add_argument("text")
    parser.add_argument("out")
    args = parser.parse_args()
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.hf_dir)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.hf_dir, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    # newline="" keeps the file's bytes: "\r\n" must not become "\n".
    with open(args.text, encoding="utf-8", newline="") as file:
        text = file.read()
    bosId = model.config.bos_token_id
    ids = [bosId] + tokenizer(text, add_special_tokens=False)["input_ids"]
    windows = splitIntoWindows(ids, bosId)
    with torch.inference_mode():
        losses = [negativeLogLikelihood(model, w) for w in windows]
    scored = WINDOW - FIRST_SCORED - 1
    result = {
        "perplexity": math.exp(sum(losses) / (scored * WINDOWS)),
        "window": WINDOW,
        "scored_per_window": scored,
        "window_nll": losses,
        "windows": windows,
    }
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(result, file)
        file.write("\n")
    print(f"{args.text}: {result['perplexity']:.6f}")


if __name__ == "__main__":
    main()
