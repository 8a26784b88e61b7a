# SPDX-License-Identifier: Apache-2.0
"""Greedy continuations of the real Gemma 3 270M by Hugging Face transformers.

make_real_greedy.py HF_DIR OUT.json: a Hugging Face model folder -> a list of
{"name", "prompt", "prompt_ids", "generated_ids", "min_margin"}, in f32 with
eager attention. End-of-sequence does not stop it: plain argmax, 64 steps.
It does not sample, batch or use a chat template. Needs torch, transformers.
"""

import argparse
import json

import torch
import transformers

STEPS = 64

# Prompts whose smallest top-1 to top-2 gap exceeds this are insensitive to the
# order of f32 sums: f64 moves no logit of these ten by more than 7.4e-5.
SMALLEST_MARGIN = 1e-3

PROMPTS = {
    "english": "The lighthouse keeper climbed the stairs every evening, and",
    "german": "Die Stadt Hamburg liegt an der Elbe und ist bekannt für",
    "french": "Au printemps, les jardins de Paris se remplissent de",
    "spanish": "El río Amazonas nace en los Andes y atraviesa",
    "russian": "Зимой в Сибири очень холодно, поэтому люди",
    "chinese": "长城是中国古代的伟大建筑之一，它",
    "japanese": "富士山は日本で一番高い山であり、",
    "arabic": "تقع مدينة القاهرة على ضفاف نهر النيل وهي",
    "python": (
        "def fibonacci(n):\n"
        '    """Return the n-th Fibonacci number."""\n'
        "    if n < 2:\n"
    ),
    "cpp": (
        "#include <vector>\n\n"
        "int sum(const std::vector<int>& values) {\n"
        "  int total = 0;\n"
    ),
}


def continueGreedily(model, promptIds):
    """The STEPS argmax tokens after promptIds, and the smallest gap between
    the best and the second-best logit on the way."""
    generated, margin = [], float("inf")
    tokens, cache = torch.tensor([promptIds]), None
    for _ in range(STEPS):
        out = model(tokens, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        best = torch.topk(out.logits[0, -1], 2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        generated.append(best.indices[0].item())
        tokens = torch.tensor([generated[-1:]])
    return generated, margin


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("hf_dir")
    parser.add_argument("out")
    args = parser.parse_args()
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.hf_dir)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.hf_dir, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    rows = []
    with torch.inference_mode():
        for name, prompt in PROMPTS.items():
            ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            ids = [model.config.bos_token_id] + ids
            generated, margin = continueGreedily(model, ids)
            print(f"{name}: {len(ids)} tokens, margin {margin:.6f}:",
                  repr(tokenizer.decode(generated)))
            rows.append({"name": name, "prompt": prompt, "prompt_ids": ids,
                         "generated_ids": generated, "min_margin": margin})
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=1)
        file.write("\n")
    close = [r["name"] for r in rows if r["min_margin"] <= SMALLEST_MARGIN]
    if close:
        raise SystemExit(f"expected margins above {SMALLEST_MARGIN}, "
                         f"found smaller ones in {', '.join(close)}")


if __name__ == "__main__":
    main()
