# SPDX-License-Identifier: Apache-2.0
"""includes.py: who may include whom (docs/decisions/0012).

1. compiler -> targets -> dialects; stages of the compiler know neither each
   other nor the pipeline, targets not each other; runtime includes none of
   them and no MLIR or LLVM; both sides read ModelAbi.h.
2. No header includes a header of generated op classes but those of OPS_WANTED:
   each file behind it would pay for parsing them.
3. No file of a wing includes its room's front door. A wing is a folder in a
   room, the front door the room's header of the room's own name:
   compiler/importer/gguf may not include compiler/importer/Importer.h.
"""
import os
import re

import tree

ROOMS = ("importer", "fusion", "quantization", "lowering", "packaging",
         "output", "pipeline", "tools")
# Room of the compiler -> the rooms that it knows; those not here know all.
MAY_KNOW = {"output": ("output",), **{stage: (stage, "output") for stage in
            ("importer", "fusion", "quantization", "lowering", "packaging")}}

# Header, or folder of headers -> why it needs op classes. A forward declaration does elsewhere.
OPS_WANTED = {
    "dialects/gemma/Gemma.h": "its ops take quantized's types",
    "dialects/kernel/Kernel.h": "its ops take quantized's types",
    "compiler/fusion/Matching.h": "templates over ops, for files of passes only",
    "compiler/lowering/FunctionLowering.h": "a class for three files of a pass",
    "targets/cpu": "a header a kernel file: functions that lower an op",
    "test/support/reference/Weight.h": "evaluates ops",
}

# Wing -> why it knows the front door.
DOOR_WANTED = {
    "runtime/app/commands": "App.h is what commands are written against: it "
                            "has their declarations, flags and errors",
}


def includes(path):
    for number, line in enumerate(tree.lines(path), 1):
        found = re.match(r'#\s*include\s*[<"]([^">]+)', line)
        if found:
            yield number, found[1]


def roomOf(path):
    return path.split("/")[1]


def targetOf(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "targets" and len(parts) > 2 else None


def layering(path, included):
    """Why `path` may not include `included`; None where it may."""
    room, other = path.split("/")[0], included.split("/")[0]
    if other in {"dialects": ("compiler", "targets"),
                 "targets": ("compiler",),
                 "runtime": ("compiler", "targets", "dialects", "mlir", "llvm"),
                 }.get(room, ()):
        return f"{room} does not know {other}"
    if room in ("compiler", "targets", "dialects") and other == "runtime" and \
            included != "runtime/include/gemma/ModelAbi.h":
        return "the compiler and the runtime share ModelAbi.h alone"
    if room == other == "compiler" and \
            roomOf(included) not in MAY_KNOW.get(roomOf(path), ROOMS):
        return f"{roomOf(path)} talks to {roomOf(included)} through the IR"
    if targetOf(path) and targetOf(included) not in (None, "cpu",
                                                     targetOf(path)):
        return "targets do not know each other"
    if targetOf(path) == "cpu" and targetOf(included) not in (None, "cpu"):
        return "targets/cpu knows no machine"
    return None


def frontDoor(path):
    """The header that a file of a wing may not include."""
    room = os.path.dirname(os.path.dirname(path))
    return f"{room}/{tree.camel(os.path.basename(room))}.h"


def problems():
    paths = tree.listed("*.cpp", "*.h")
    ops = {path for path in paths if path.endswith(".h") and
           any(name.endswith("Ops.h.inc") for _, name in includes(path))}
    for path in paths:
        for number, included in includes(path):
            why = layering(path, included)
            if path.endswith(".h") and included in ops and \
                    not {path, os.path.dirname(path)} & OPS_WANTED.keys():
                why = "op classes in a header cost every file behind it " \
                      "(OPS_WANTED of test/tidy/includes.py)"
            if included == frontDoor(path) and \
                    os.path.dirname(path) not in DOOR_WANTED:
                why = "a wing does not know its room's front door"
            if why:
                yield f"{path}:{number}: includes {included}: {why}"
    for path in list(OPS_WANTED) + list(DOOR_WANTED):
        if not os.path.exists(path):
            yield f"test/tidy/includes.py: expected {path} in the tree, " \
                  "found none"


if __name__ == "__main__":
    tree.report(problems())
