#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spills.py ASSEMBLY: innermost loops of x86 assembly that move vectors to or
from the stack, as "FUNCTION: N of M vector instructions"; then "L loops of F
functions, S spill". A register that the loop has no room for shows here, and
nowhere else: results stay right, only slower."""
import re
import sys

FUNCTION = re.compile(r"([A-Za-z_]\w*):")
LABEL = re.compile(r"(\.L\w+):")
JUMP = re.compile(r"\s+j\w+\s+(\.L\w+)")
STACK = re.compile(r"[xyz]mm\d+.*\(%rsp|\(%rsp.*[xyz]mm\d+")


def functions(lines):
    name, body = None, []
    for line in lines:
        if start := FUNCTION.match(line):
            if name:
                yield name, body
            name, body = start[1], []
        body.append(line)
    if name:
        yield name, body


def innermost(body):
    labels, loops = {}, []
    for at, line in enumerate(body):
        if label := LABEL.match(line):
            labels[label[1]] = at
        if (jump := JUMP.match(line)) and jump[1] in labels:
            loops.append((labels[jump[1]], at))
    for start, end in loops:
        if not any(start <= a and b <= end and (a, b) != (start, end)
                   for a, b in loops):
            yield body[start:end + 1]


def main():
    with open(sys.argv[1]) as file:
        lines = file.read().splitlines()
    count = spilled = names = 0
    for name, body in functions(lines):
        names += 1
        for loop in innermost(body):
            count += 1
            found = sum(bool(STACK.search(line)) for line in loop)
            if found:
                spilled += 1
                print(f"{name}: {found} of {sum('mm' in l for l in loop)}"
                      " vector instructions")
    print(f"{count} loops of {names} functions, {spilled} spill")


main()
