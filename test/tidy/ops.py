# SPDX-License-Identifier: Apache-2.0
"""ops.py: an op's record says what the op is.

Each op of dialects/*/*Ops.td has a summary, a description and in it an
example: docs/reference is made of them, and is the dialects' specification.
"""
import re

import tree

RECORD = re.compile(r"^def (\w+)\s*:\s*\w+_\w*Op<\"(\w+)\".*?(?=^def |\Z)",
                    re.M | re.S)


def problems():
    for path in tree.listed("dialects/*Ops.td"):
        text = tree.read(path)
        for record in RECORD.finditer(text):
            body = re.search(r"let description\s*=\s*\[\{(.*?)\}\];", record[0],
                             re.S)
            lacking = [part for part, there in {
                "summary": re.search(r'let summary\s*=\s*"[^"]+"', record[0]),
                "description": body and body[1].strip(),
                "example": body and re.search(r"\bExample\b", body[1]),
            }.items() if not there]
            if lacking:
                line = text.count("\n", 0, record.start()) + 1
                yield f"{path}:{line}: {record[2]} has no {', '.join(lacking)}"


if __name__ == "__main__":
    tree.report(problems())
