# SPDX-License-Identifier: Apache-2.0
"""functions.py: no C++ function is longer than 60 lines.

Counts from the first line of a definition to its closing brace, a lambda as
part of the function around it. A body is a block outside of all functions
whose head has parentheses: clang-format's layout and balanced braces are all
that it relies on. Prints `file:line: name has N lines`.
"""
import re

import tree

LIMIT = 60


def headOf(text, start, end):
    """A declaration's text without its arguments, and where it begins."""
    head = text[start:end]
    # An access specifier is no part of what follows it.
    for label in re.finditer(r"\b(?:public|private|protected)\s*:", head):
        start += label.end() - (end - len(head) - start)
        head = text[start:end]
    begin = start + len(head) - len(head.lstrip())
    head = text[begin:end]
    while "(" in head:  # arguments inside of arguments come first
        shorter = re.sub(r"\([^()]*\)", "<>", head)
        if shorter == head:
            break
        head = shorter
    return head.strip(), begin


def opensBody(head):
    """Does a `{` behind this head begin a function's body?"""
    if "<>" not in head or head[-1] in "=,(":
        return False
    if re.search(r"\b(namespace|class|struct|union|enum|requires)\b", head):
        return bool(re.search(r"\w<>\s*(const|noexcept|override|final|\s)*$",
                              head))
    # `x = f({` and `[] {` at the end of a variable's definition.
    return not re.search(r"(?<!operator)(?<!operator=)(?<![=!<>])=(?!=)", head)


def functions(path):
    """(line, length, name) of every function's definition."""
    text = tree.code(path)
    blocks = []  # of each open brace: where its function begins, or None
    start = 0
    for brace in re.finditer(r"[{};]", text):
        inside = any(block for block in blocks)
        if brace[0] == "{":
            found = None
            # x{1} in a constructor's list is no block: no space in front.
            if not inside and text[brace.start() - 1] in " \n":
                head, begin = headOf(text, start, brace.start())
                if head and opensBody(head):
                    name = re.search(r"([\w:~]+)\s*(?:<[^<>]+>)?<>", head)
                    found = (begin, name[1] if name else head)
            elif not inside:
                blocks.append("initialiser")
                continue
            blocks.append(found)
        elif brace[0] == "}" and blocks:
            found = blocks.pop()
            if found == "initialiser":
                continue
            if found:
                first = text.count("\n", 0, found[0]) + 1
                last = text.count("\n", 0, brace.start()) + 1
                yield first, last - first + 1, found[1]
        if not any(block == "initialiser" for block in blocks):
            start = brace.end()


def problems():
    for path in tree.listed("*.cpp", "*.h"):
        for line, length, name in functions(path):
            if length > LIMIT:
                yield f"{path}:{line}: {name} has {length} lines, " \
                      f"expected at most {LIMIT}"


if __name__ == "__main__":
    tree.report(problems())
