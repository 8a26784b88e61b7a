# SPDX-License-Identifier: Apache-2.0
"""tree.py: what the checks of this folder read, and how they report.

listed(pattern...) -> paths in the tree, new ones too, deleted ones not.
lines(path) -> its lines. code(path) -> C++ without comments and strings, line
by line as before. report(problems) prints them and exits: 1 if there are any.
Judges nothing.
"""
import functools
import os
import re
import subprocess
import sys


def listed(*patterns):
    """Files of the repository; a pattern is git's: * crosses folders."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard",
                            "--deduplicate", *patterns], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return [name for name in sorted(names) if os.path.exists(name)]


@functools.lru_cache(maxsize=None)
def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def lines(path):
    return read(path).splitlines()


def blank(match):
    """As many newlines as there were, and nothing else."""
    return "\n" * match[0].count("\n")


TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.S)


def code(path):
    text = TOKENS.sub(lambda token: blank(token) or
                      ('""' if token[0][0] in 'R"' else
                       "0" if token[0][0] == "'" else ""), read(path))
    # A directive, with the lines that it continues on.
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def kebab(name):
    """FuseQkv -> fuse-qkv, as passes, flags and tests are named."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def camel(name):
    """fuse-qkv -> FuseQkv."""
    return "".join(part.capitalize() for part in re.split(r"[-_]", name))


def report(problems):
    found = list(problems)
    print("\n".join(found))
    sys.exit(1 if found else 0)
