# SPDX-License-Identifier: Apache-2.0
"""check-profile.py: the exact figures of `bench --profile --json` of compiled
models against what their sizes say: bytes of weights and cache, operations.
Reads no times, but that there are some. Exits 1 on a difference."""
import argparse
import json
import subprocess
import sys


def output(*command):
    text = subprocess.run(command, check=True, capture_output=True).stdout
    return json.loads(text)


def matrix_operations(sizes):
    """Of one row: all layers', and the head's."""
    width, heads = sizes["width"], sizes["heads"] * sizes["head_dim"]
    keys = sizes["kv_heads"] * sizes["head_dim"]
    layer = 2 * width * (2 * heads + 2 * keys + 3 * sizes["ffn"])
    return sizes["layers"] * layer, 2 * width * sizes["vocabulary"]


def attention(sizes, windows, first, count):
    """(bytes of cache, operations) of one call, its rows at first, …"""
    of_bytes = operations = 0
    for window in windows:
        seen = [min(window or p + 1, p + 1)
                for p in range(first, first + count)]
        start = max(0, first - window + 1) if window else 0
        of_bytes += (first + count - start) * sizes["kv_heads"] * 4
        operations += sum(seen) * 4 * sizes["heads"]
    return of_bytes * sizes["head_dim"], operations * sizes["head_dim"]


def expected(facts, windows, row, head_bytes, own_head):
    sizes = facts["sizes"]
    layers, head = matrix_operations(sizes)
    table = head_bytes  # as large, whether it is the same or not
    weights = sum(facts["weight_bytes_by_format"].values()) \
        + table // sizes["vocabulary"] - (table if own_head else 0)
    depth, prompt, answer = row["n_depth"], row["n_prompt"], row["n_gen"]
    calls = [(depth, prompt)] if prompt else \
        [(depth + i, 1) for i in range(answer)]
    used = [attention(sizes, windows, *call) for call in calls]
    return {"weight_bytes": weights,
            "cache_bytes": sum(use[0] for use in used) // len(calls),
            "operations": layers * (prompt or 1) + head
            + sum(use[1] for use in used) // len(calls)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--windows", required=True, help="of all layers")
    parser.add_argument("--own-head", action="store_true")
    flags = parser.parse_args()
    facts = output(flags.app, "info", "--json")
    windows = [int(window) for window in flags.windows.split(",")]
    rows = output(flags.app, "bench", "-p", "20,5", "-n", "3", "-d", "0,30",
                  "-r", "1", "-t", flags.threads, "--profile", "--json")
    rows = [row for row in rows if "n_depth" in row]
    wrong = [] if len(rows) == 6 else [f"expected 6 rows, found {len(rows)}"]
    for row in rows:
        phases = {phase["phase"]: phase for phase in row["phases"]}
        found = {key: sum(phase[key] for phase in row["phases"])
                 for key in ("weight_bytes", "cache_bytes", "operations")}
        wanted = expected(facts, windows, row, phases["head"]["weight_bytes"],
                          flags.own_head)
        if found != wanted:
            wrong.append(f"{row['test']}: expected {wanted}, found {found}")
        if row["n_gen"] and found["weight_bytes"] != \
                facts["weight_bytes_per_token"]:
            wrong.append(f"{row['test']}: expected weight_bytes_per_token "
                         f"{facts['weight_bytes_per_token']}, found "
                         f"{found['weight_bytes']}")
        if any(phase["seconds"] <= 0 for phase in row["phases"]):
            wrong.append(f"{row['test']}: a phase without time")
    print("\n".join(wrong) or f"{len(rows)} rows are right")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
