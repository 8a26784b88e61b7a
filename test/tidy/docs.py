# SPDX-License-Identifier: Apache-2.0
"""docs.py: README, CONTRIBUTING and docs/ say nothing that the tree denies.

Each path in a code span or link exists; each --stop-after= is a stage of
Pipeline.h, each --gemmac- flag a pass of a Passes.td; architecture.md names
every pass and weight-formats.md every format. Prints what is wrong; exits 1
then. Does not run commands and does not read sentences.
"""
import os
import re
import subprocess
import sys

# Made by building, or of a user's own: in no commit.
GENERATED = ("build/", "lib/")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def listed(*patterns):
    return subprocess.run(["git", "ls-files", "-co", "--exclude-standard",
                           *patterns], capture_output=True, text=True,
                          check=True).stdout.split()


def pathsOf(text, folder):
    """(as written, as a path) of what a page says is in the tree."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)#:]+)\)", prose):
        yield link, os.path.join(folder, link)
    for span in re.findall(r"`([^`\n]+)`", prose):
        # One word with a slash; placeholders are in capitals or brackets.
        if not re.fullmatch(r"[a-z0-9_.][\w.{},-]*(/[\w.{},-]+)+/?", span) \
                or re.search(r"/(?:NAME|ARCHITECTURE)\b", span) \
                or span.startswith(GENERATED):
            continue
        braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", span)
        for part in braces[2].split(",") if braces else [""]:
            yield span, braces[1] + part + braces[3] if braces else span


def problems():
    tables = [read(path) for path in listed("*Passes.td")]
    passes = dict(re.findall(r'def (\w+)\s*: Pass<"(gemmac-[\w-]+)"',
                             "\n".join(tables)))
    stages = re.search(r"kStages\[\] = \{([^}]*)\}",
                       read("compiler/pipeline/BuildOptions.h"))[1]
    stages = set(re.findall(r'"(\w+)"', stages)) | {"STAGE"}
    for page in listed("README.md", "CONTRIBUTING.md", "docs/*.md"):
        text = read(page)
        for span, path in pathsOf(text, os.path.dirname(page)):
            if not os.path.exists(path):
                yield f"{page}: expected '{span}' in the tree, found none"
        for stage in re.findall(r"--stop-after=(\w+)", text):
            if stage not in stages:
                yield f"{page}: expected a stage, found '{stage}'"
        for flag in re.findall(r"--(gemmac-[a-z][\w-]+)", text):
            if flag not in passes.values():
                yield f"{page}: expected a pass's flag, found '--{flag}'"
    text = read("docs/architecture.md")
    for name in passes:
        if not re.search(rf"\b{name}\b", text):
            yield f"docs/architecture.md: expected pass {name}, found none"
    text = read("docs/weight-formats.md")
    names = listed("dialects/quantized/formats/*.cpp")
    for path in names:
        name = os.path.basename(path)[:-len(".cpp")]
        # CodeFormat and ScaleSearch are shared parts, no format's own name.
        if f'"{name.lower()}"' in read(path) and \
                not re.search(rf"\b{name.lower()}\b", text):
            yield f"docs/weight-formats.md: expected {name.lower()}, found none"


found = list(problems())
print("\n".join(found))
sys.exit(1 if found else 0)
