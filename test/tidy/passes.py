# SPDX-License-Identifier: Apache-2.0
"""passes.py: a pass has one name in five places, and its record says all.

Each record of a Passes.td: a flag, a source and a test of the record's name; a
summary, a description and dependentDialects that are not empty (Debian's MLIR
has no assertions: a dialect that is missing there is a bare crash). Each pass
in a source has a record. The test of a fusion expects a missed remark.
"""
import os
import re

import tree

RECORD = re.compile(r'^def (\w+)\s*:\s*Pass<"([^"]*)".*?^}', re.M | re.S)
FIELDS = {"summary": r'let summary\s*=\s*"[^"]+"',
          "description": r"let description\s*=\s*\[\{\s*[^\s}]",
          "dependentDialects": r'let dependentDialects\s*=\s*\[\s*"'}


def recordProblems(table, record):
    name, flag = record[1], record[2]
    folder = os.path.dirname(table)
    line = tree.read(table).count("\n", 0, record.start()) + 1
    if flag != "gemmac-" + tree.kebab(name):
        yield f"{table}:{line}: expected the flag gemmac-{tree.kebab(name)}, " \
              f"found {flag}"
    for field, pattern in FIELDS.items():
        if not re.search(pattern, record[0]):
            yield f"{table}:{line}: pass {name} has no {field}"
    source = f"{folder}/{name}.cpp"
    test = f"test/{folder.removeprefix('compiler/')}/{tree.kebab(name)}.mlir"
    for path in source, test:
        if not os.path.exists(path):
            yield f"{table}:{line}: expected {path} of pass {name}, found none"
    if folder.endswith("/fusion") and os.path.exists(test) and \
            not re.search(rf"\[Missed\] {name}\b", tree.read(test)):
        yield f"{test}: expected a remark '[Missed] {name}', found none"


def problems():
    names = set()
    for table in tree.listed("*Passes.td"):
        for record in RECORD.finditer(tree.read(table)):
            names.add(record[1].upper())
            yield from recordProblems(table, record)
    for path in tree.listed("*.cpp", "*.h"):
        for number, line in enumerate(tree.lines(path), 1):
            base = re.search(r"\bPassWrapper<(\w+)|GEN_PASS_DEF_(\w+)", line)
            if base and (base[1] or base[2]).upper() not in names:
                yield f"{path}:{number}: expected a record of " \
                      f"{base[1] or base[2]} in a Passes.td, found none"


if __name__ == "__main__":
    tree.report(problems())
