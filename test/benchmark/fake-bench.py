#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake-bench.py: stands in for a compiled model (copied as app) or for
llama-bench: known figures, another set each round, in either's JSON."""
import json
import os
import sys

name = os.path.basename(sys.argv[0])
if sys.argv[1:3] == ["info", "--json"]:
    print(json.dumps({"gemmac": "0.0", "options": {
        "target": "fake", "quant": "keep", "kv": "bf16"}}))
    sys.exit()
if "refuse" in " ".join(sys.argv):
    sys.exit(f"{name}: no such model")
flags = dict(zip(sys.argv, sys.argv[1:]))
if flags["-r"] != "1" or flags["-t"] != "3":
    sys.exit(f"{name}: expected one repetition and 3 threads")
prompts = [int(count) for count in flags["-p"].split(",") if count != "0"]
depth = int(flags["-d"])

# Which round it is: how often this case was asked for.
record = f"{sys.argv[0]}.{depth}"
with open(record, "a+", encoding="utf-8") as file:
    file.write("x")
    file.seek(0)
    number = (len(file.read()) - 1) % 3
rates = {"app": (200, 600, 300), "llama-bench": (100, 150, 200)}[name]
rate = rates[number]

rows = [{"n_prompt": count, "n_gen": 0, "n_depth": depth,
         "avg_ts": rate + count} for count in prompts]
rows.append({"n_prompt": 0, "n_gen": int(flags["-n"]), "n_depth": depth,
             "avg_ts": rate / 10})
if name == "app":
    for row in rows:
        row["roofline_share"] = 0.1  # of a prompt: of the 8-bit products
    rows[-1]["roofline_share"] = (0.5, 0.7, 0.9)[number]
    rows.append({"test": "memory", "peak_resident_bytes": 1})
else:
    rows[0]["build_commit"] = "abc123"
print(json.dumps(rows))
