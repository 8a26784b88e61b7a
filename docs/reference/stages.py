# SPDX-License-Identifier: Apache-2.0
"""The IR in a document: fills each block that follows a marker

  <!-- ir: STAGE | FIRST LINE | LAST LINE | KEPT; KEPT; … -->

with the stage's IR of MODEL from the first line that matches FIRST to the next
that matches LAST. With KEPT, only lines that match one stay, and three or more
left out become "…". Patterns are Python's. Leaves the words around alone."""
import os
import re

from run import output, shorten

MODEL = "test/end-to-end/fixtures/gguf-mixed/model.gguf"
WIDTH = 110
MARKER = r"<!-- ir: ([^\n]*) -->\n\n```mlir\n.*?```\n"


def dump(scratch):
    """Stage -> its lines, without the names of weights (locations)."""
    folder = f"{scratch}/stages"
    output("gemmac", "build", "-q", "--target=x86_64-avx2", MODEL,
           "--stop-after=target", f"--dump-stages={folder}", "-o",
           f"{scratch}/stages.mlir")
    stages = {}
    for path in sorted(os.listdir(folder)):
        with open(f"{folder}/{path}", encoding="utf-8") as file:
            text = re.sub(r' loc\((#loc\d*|unknown|"[^"]*")\)', "", file.read())
        stages[path[2:-len(".mlir")]] = text.splitlines()
    return stages


def indexOf(pattern, lines, start, place):
    for i in range(start, len(lines)):
        if re.search(pattern, lines[i]):
            return i
    raise SystemExit(f"{place}: expected a line like '{pattern}', found none")


def block(marker, lines, place):
    _, first, last, *rest = [part.strip() for part in marker.split("|")]
    kept = [p.strip() for p in rest[0].split(";")] if rest else []
    start = indexOf(first, lines, 0, place)
    end = indexOf(last, lines, start + 1, place)
    indent = len(re.match(r" *", lines[start])[0])
    shown, left = [], 0
    for line in lines[start:end + 1]:
        if shown and kept and not any(re.search(p, line) for p in kept):
            left += 1
            continue
        if left > 2:
            shown.append("  …")
        left = 0
        # A label of a block stands further left.
        isLabel = line[:indent].strip() != ""
        shown.append(shorten(line.lstrip() if isLabel else line[indent:],
                             WIDTH))
    return "\n".join(shown)


def fill(path, scratch):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    stages = dump(scratch)

    def replace(match):
        stage = match[1].split("|")[0].strip()
        body = block(match[1], stages[stage], f"{path}, {stage}")
        return f"<!-- ir: {match[1]} -->\n\n```mlir\n{body}\n```\n"

    return re.sub(MARKER, replace, text, flags=re.S)
