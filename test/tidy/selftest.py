# SPDX-License-Identifier: Apache-2.0
"""selftest.py: each check of this folder finds what it is for.

Puts the faults below into a copy of the tree's texts, and expects that the
check then says the words that stand beside each, and nothing about what only
looks like one. Says nothing about faults that nobody thought of.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import tree

LONG = "\nint seeded() {\n" + "  use();\n" * 60 + "}\n"
# A method in a class, with a list of initialisers and a lambda in it.
LONG_METHOD = "\nclass Seeded {\n  Seeded(int a) : a{a}, b(a) {\n" \
    "    auto f = [] {\n" + "      use();\n" * 60 + "    };\n  }\n};\n"

# Check, file, text that must be there or None for the end, what takes its
# place, what is reported.
FAULTS = [
    ("includes", "dialects/gemma/Gemma.cpp", None,
     '#include "targets/Target.h"\n', "dialects does not know targets"),
    ("includes", "targets/Targets.cpp", None,
     '#include "compiler/pipeline/Pipeline.h"\n',
     "targets does not know compiler"),
    ("includes", "compiler/fusion/FuseQkv.cpp", None,
     '#include "compiler/lowering/Passes.h"\n',
     "fusion talks to lowering through the IR"),
    ("includes", "compiler/lowering/PlanPhases.cpp", None,
     '#include "compiler/pipeline/Pipeline.h"\n',
     "lowering talks to pipeline through the IR"),
    ("includes", "targets/portable/Portable.cpp", None,
     '#include "targets/x86/X86.h"\n', "targets do not know each other"),
    ("includes", "runtime/model/Model.cpp", None,
     '#include "llvm/ADT/StringRef.h"\n', "runtime does not know llvm"),
    ("includes", "targets/cpu/Emitter.cpp", None,
     '#include "runtime/model/Model.h"\n', "share ModelAbi.h alone"),
    ("includes", "compiler/fusion/Passes.h", None,
     '#include "dialects/gemma/Gemma.h"\n', "op classes in a header"),
    ("includes", "compiler/importer/gguf/Gguf.cpp", None,
     '#include "compiler/importer/Importer.h"\n', "its room's front door"),
    ("passes", "compiler/fusion/Passes.td",
     '"the softcap of a linear becomes its attribute"', '""',
     "pass FuseSoftcap has no summary"),
    ("passes", "compiler/fusion/Passes.td", "let dependentDialects", "let none",
     "has no dependentDialects"),
    ("passes", "compiler/fusion/Passes.td", '"gemmac-fuse-rope"',
     '"gemmac-fuse-angles"', "expected the flag gemmac-fuse-rope"),
    ("passes", "compiler/fusion/Passes.td", "def FuseQkv", "def FuseLinears",
     "expected test/fusion/fuse-linears.mlir of pass FuseLinears"),
    ("passes", "compiler/lowering/Lowering.cpp", None,
     "class Seeded : PassWrapper<Seeded, P> {};\n",
     "expected a record of Seeded in a Passes.td"),
    ("passes", "test/fusion/fuse-residual-norm.mlir", "[Missed] FuseRes",
     "[Passed] FuseRes", "expected a remark '[Missed] FuseResidualNorm'"),
    ("ops", "dialects/gemma/GemmaOps.td", "Example: `%y = gemma.softcap",
     "`%y = gemma.softcap", "softcap has no example"),
    ("functions", "runtime/model/Model.cpp", None, LONG,
     "seeded has 62 lines"),
    ("functions", "runtime/model/Model.h", None, LONG_METHOD,
     "Seeded has 64 lines"),
    ("files", "runtime/model/Model.h", "// SPDX-License-Identifier",
     "// Licence", "runtime/model/Model.h:1: expected"),
    ("files", "runtime/model/Model.h", None, "\n" * 600, "at most 600"),
    ("spelling", "docs/numerics.md", None, "The optimizer.\n",
     "expected optimiser, found optimizer"),
    ("spelling", "runtime/model/Model.h", None, "// A tokeniser.\n",
     "expected tokenizer, found tokeniser"),
    ("spelling", "dialects/gemma/GemmaOps.td", "rows of the embedding table",
     "colored rows", "expected coloured"),
    ("docs", "docs/numerics.md", None, "See `docs/seeded.md`.\n",
     "expected 'docs/seeded.md' in the tree"),
    ("docs", "docs/numerics.md", None, "Try --stop-after=seeded.\n",
     "expected a stage, found 'seeded'"),
]
# What looks like a fault and is none: the check must not name it.
SOUND = [
    ("functions", "runtime/model/Model.cpp", None,
     "\nconst int table[] = {\n" + "  1,\n" * 80 + "};\n", "table"),
    ("spelling", "runtime/model/Status.h", None,
     "// AddressSanitizer, the normalizer, initialize() and quantization.\n",
     "runtime/model/Status.h:"),
    ("includes", "targets/x86/X86.cpp", None,
     '#include "targets/cpu/Emitter.h"\n', "targets/x86/X86.cpp:"),
]


def copyTree(folder):
    """All files, the large ones empty: checks ask only whether they are."""
    for path in tree.listed():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.getsize(path) < 1 << 18:
            shutil.copyfile(path, target)
        else:
            open(target, "w").close()
    subprocess.run(["git", "init", "-q", folder], check=True)


def putIn(folder, faults):
    """The files as they were, and what could not be changed."""
    before, failed = {}, []
    for _, path, old, new, _ in faults:
        full = os.path.join(folder, path)
        with open(full, encoding="utf-8") as file:
            text = file.read()
        before.setdefault(full, text)
        if old is not None and old not in text:
            failed.append(f"{path}: expected '{old}', found none")
        with open(full, "w", encoding="utf-8") as file:
            file.write(text + new if old is None else
                       text.replace(old, new, 1))
    return before, failed


def problems():
    with tempfile.TemporaryDirectory() as folder:
        copyTree(folder)
        for check in sorted({fault[0] for fault in FAULTS}):
            faults = [fault for fault in FAULTS if fault[0] == check]
            sound = [case for case in SOUND if case[0] == check]
            before, failed = putIn(folder, faults + sound)
            yield from failed
            said = subprocess.run(
                [sys.executable, f"test/tidy/{check}.py"], cwd=folder,
                capture_output=True, text=True, check=False)
            for _, path, _, _, words in faults:
                if words not in said.stdout or said.returncode != 1:
                    yield f"{check}: a fault in {path}: expected '{words}', " \
                          f"found:\n{said.stdout}{said.stderr}"
            for _, path, _, _, words in sound:
                if words in said.stdout:
                    yield f"{check}: no fault in {path}: expected no " \
                          f"'{words}', found:\n{said.stdout}"
            for full, text in before.items():
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)


if __name__ == "__main__":
    tree.report(problems())
