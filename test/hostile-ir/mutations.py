#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IR that a hand has broken ends in a diagnostic, never in a crash.

Reads mutations.txt, which says how its rows are written, and runs gemmac-opt on
each: it has to exit as the row says within 20 s, without a signal or a word of
a sanitizer, and to say what the row says. Prints what failed and "N passed, N
failed". Example: mutations.py --only kv_plan"""
import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "end-to-end/fixtures"
SECONDS = 20
CRASH = re.compile("Stack dump|Sanitizer|runtime error:|Assertion|UNREACHABLE")
LOWERING = ("outline-layers", "plan-kv-cache", "lower-to-kernel", "quantize-tiles",
            "plan-phases", "plan-buffers", "plan-weights")
# The IR behind each pass of lowering.
BETWEEN = ("outlined", "planned", "kernel", "tiles", "phases", "buffers", "weights")
# What no edit of a text can make.
BYTES = {"empty": b"", "junk": bytes(range(256)) * 16,
         "deep": b"module {" * 1000 + b"}" * 1000,
         "bytecode": b"ML\xefR\x0dMLIR22\0" + bytes(range(256)) * 16}


def run(command, text):
    """Exit code, output, errors; a code below 0 where it did not end."""
    environment = dict(os.environ, LLVM_DISABLE_SYMBOLIZATION="1")
    try:
        done = subprocess.run(command, input=text, capture_output=True,
                              timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        return -1, "", f"still at it after {SECONDS} s"
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"))


def valid(command, text=b""):
    code, output, errors = run(command, text)
    if code:
        sys.exit(f"{' '.join(map(str, command))}: exit {code}\n{errors}")
    return output.encode()


def flags(passes):
    """`lower` stands for the passes up to the kernel dialect."""
    passes = passes.replace("lower,", "outline-layers,plan-kv-cache,lower-to-kernel,")
    return [f if f.startswith("--") else "--gemmac-" + f
            for f in passes.split(",") if f]


def originals():
    """Each valid IR by its name."""
    found = dict(BYTES)
    for path in sorted(HERE.glob("*.mlir")):
        found[path.stem] = path.read_bytes()
        valid(["gemmac-opt"], found[path.stem])
    for prefix, fixture, quant in (("", "bf16", "int8"), ("mixed ", "gguf-mixed/model.gguf", "keep")):
        for stage in ("importer", "fusion", "quantization", "lowering"):
            built = valid(["gemmac", "build", "-q", "--quant", quant, "--stop-after", stage,
                           FIXTURES / fixture, "-o", "-"])
            found[prefix + stage] = valid(["gemmac-opt"], built)  # without locations
        text = found[prefix + "quantization"]
        for name, each in zip(BETWEEN, LOWERING):
            text = found[prefix + name] = valid(["gemmac-opt", "--gemmac-" + each], text)
    return found


def table():
    """(name, IR, edits, passes, words) of each row, [[a|b]] written out."""
    rows = []
    for line in (HERE / "mutations.txt").read_text().splitlines():
        if line.startswith(" "):
            rows[-1] += "\n" + line.strip(" ")
        elif line and not line.startswith("#"):
            rows.append(line)
    for row in rows:
        choice = re.search(r"\[\[(.+?)\]\]", row)
        for value in choice[1].split("|") if choice else [None]:
            each = row
            if choice:
                each = row.replace(choice[0], value).replace("[[]]", value)
            head, *edits = each.split("\n")
            name, ir, passes, words = head.split(" ; ")
            yield (f"{name} {value or ''}".strip(), ir, edits,
                   "" if passes == "-" else passes, words)


def edited(text, edit):
    old, new = (edit + " ").split(" => ", 1)
    new = new[:-1].replace("\\n", "\n")
    if old.startswith("~"):
        return re.sub(old[1:], new, text, count=1, flags=re.M)
    return text.replace(old, new, 1)


def judge(row, texts):
    """What is wrong with a row, or nothing."""
    name, ir, edits, passes, words = row
    text = texts[ir]
    for edit in edits:
        changed = edited(text.decode(), edit).encode()
        if changed == text:
            return f"changes nothing: {edit}"
        text = changed
    code, output, errors = run(["gemmac-opt", *flags(passes), "-"], text)
    if code not in (0, 1) or CRASH.search(errors):
        return f"crashed or hung, exit {code}\n{errors[:2000]}"
    wanted = 0 if words.startswith("0:") else 1
    if code != wanted:
        return f"exit {code}, expected {wanted}\n{errors[:2000]}"
    said = output if wanted == 0 else "\n".join(
        line for line in errors.splitlines() if "error: " in line)
    absent = words.startswith("0:!")
    words = words.removeprefix("0:").removeprefix("!").strip()
    if (words in said) == absent:
        return f"expected {'no ' if absent else ''}'{words}', found\n{said[:2000]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="NAME", help="rows whose name has it")
    only = parser.parse_args().only
    rows = [row for row in table() if only in row[0]]
    texts = originals()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda row: judge(row, texts), rows))
    failed = [(row, why) for row, why in zip(rows, verdicts) if why]
    for row, why in failed:
        print(f"FAILED: {row[0]} ({row[1]}, {row[3] or 'no pass'}): {why}\n")
    print(f"{len(rows) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
