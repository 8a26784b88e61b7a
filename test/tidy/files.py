# SPDX-License-Identifier: Apache-2.0
"""files.py: each source opens with its licence and ends within 600 lines.

Sources: C++, TableGen, CMake, Python and shell. The licence is an SPDX line,
first or behind `#!`.
"""
import tree

SOURCES = ("*.cpp", "*.h", "*.c", "*.td", "*.cmake", "*CMakeLists.txt", "*.py",
           "*.sh", "*lit.cfg.py", "*lit.local.cfg", "*.in", ".ci/*")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LIMIT = 600


def problems():
    for path in tree.listed(*SOURCES):
        lines = tree.lines(path)
        opening = lines[1:2] if lines and lines[0].startswith("#!") else \
            lines[:1]
        if not opening or LICENCE not in opening[0]:
            yield f"{path}:1: expected '{LICENCE}', found none"
        if path.endswith((".cpp", ".h")) and len(lines) > LIMIT:
            yield f"{path}: has {len(lines)} lines, expected at most {LIMIT}"


if __name__ == "__main__":
    tree.report(problems())
