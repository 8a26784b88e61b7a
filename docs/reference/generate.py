#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py [--check]: writes what is made from the sources and the built
programs: docs/reference/*.md, docs/man, share and the IR in
docs/walkthrough.md. With --check writes nothing, names stale files and exits 1.

Takes gemmac, gemmac-opt and mlir-tblgen from the PATH:
  PATH=build/dev/bin:/usr/lib/llvm-22/bin:$PATH docs/reference/generate.py
"""
import os
import sys
import tempfile

import command_line
import dialects
import passes
import stages

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def allFiles(scratch):
    """Path -> text of every generated file."""
    files = {}
    for name in ("gemma", "quantized", "kernel"):
        files[f"docs/reference/{name}.md"] = dialects.page(name)
    files["docs/reference/passes.md"] = passes.page()
    files.update(command_line.files(scratch))
    files["docs/walkthrough.md"] = stages.fill("docs/walkthrough.md", scratch)
    return files


def isStale(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() != text
    except FileNotFoundError:
        return True


def main():
    os.chdir(ROOT)
    # Help shows defaults, which GEMMAC_* variables would change.
    for name in [name for name in os.environ if name.startswith("GEMMAC_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as scratch:
        files = allFiles(scratch)
    stale = [path for path, text in files.items() if isStale(path, text)]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path}: stale; run docs/reference/generate.py")
        return 1 if stale else 0
    for path in stale:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(files[path])
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
