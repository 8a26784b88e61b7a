# SPDX-License-Identifier: Apache-2.0
"""docs/reference/passes.md: each pass's text from its Passes.td and, as the
example, what it really does to the first function of its own test (or, where
that function stays, to what stands beside it)."""
import re
import textwrap

from run import NOTE, elide, output, shorten

# Stage -> the folder of its Passes.td; its tests are in test/ under that, less
# compiler/.
STAGES = {"fusion": "compiler/fusion",
          "quantization": "compiler/quantization",
          "lowering": "compiler/lowering",
          "target": "targets/cpu"}
WIDTH, LINES = 100, 18


def kebab(name):
    return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()


def functionAt(lines, start):
    """Lines of the function that starts there, without indentation."""
    indent = re.match(r"\s*", lines[start])[0]
    end = lines.index(indent + "}", start)
    return [line.removeprefix(indent) for line in lines[start:end + 1]]


def split(text):
    """(the first function that has a body, what stands in no function)."""
    lines = text.splitlines()
    first, outside, i = [], [], 0
    while i < len(lines):
        if re.match(r"\s*func\.func .*\{$", lines[i]):
            function = functionAt(lines, i)
            first = first or function
            i += len(function)
        else:
            outside.append(lines[i].strip())
            i += 1
    return first, outside


def example(path, flag):
    """(flags of the test, IR before, IR after): the first function or, where
    that stays, what changed outside of functions."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    section = text.split("// -----")[0]
    before, beforeOutside = split(output("gemmac-opt", "-", text=section))
    # The first of the test's RUN lines that has something to show.
    for run in re.finditer(rf"--gemmac-{flag}(=\"[^\"]*\"|=\S+)?", text):
        after, afterOutside = split(output(
            "gemmac-opt", run[0].replace('"', ""), "-", text=section))
        if after != before:
            return run[0], fenced(before), fenced(after)
        if afterOutside != beforeOutside:
            return (run[0],
                    wrapped([x for x in beforeOutside if x not in afterOutside]),
                    wrapped([x for x in afterOutside if x not in beforeOutside]))
    raise SystemExit(f"{path}: expected a pass that changes something")


def fenced(lines):
    shown = elide([shorten(line, WIDTH) for line in lines], LINES)
    return "```mlir\n" + "\n".join(shown) + "\n```\n"


def wrapped(lines):
    """Long lines whole: what changed may stand at their ends."""
    # No break beside = and : of an attribute.
    parts = [part for line in lines for part in textwrap.wrap(
        re.sub(r" ([=:]) ", "\0\\1\0", line), WIDTH,
        subsequent_indent="    ", break_long_words=False)]
    return fenced([part.replace("\0", " ") for part in parts])


def describe(name, body, folder):
    flag = kebab(name)
    summary = re.search(r'let summary = "([^"]*)"', body)[1]
    words = re.search(r"let description = \[\{(.*?)\}\]", body, re.S)[1]
    words = re.sub(r"^    ", "", words, flags=re.M).strip()
    text = f"### {name}\n\n`--gemmac-{flag}`: {summary}.\n\n{words}\n"
    options = re.findall(r'Option<"\w+", "([\w-]+)", "[^"]*", "(.*?)",\s*'
                         r'"([^"]*)">', body)
    if options:
        text += "\n| Option | Default | Meaning |\n| --- | --- | --- |\n"
        for option, default, meaning in options:
            default = default.replace('\\"', "")
            text += f"| `{option}` | `{default}` | {meaning} |\n"
    path = f"test/{folder.removeprefix('compiler/')}/{flag}.mlir"
    used, before, after = example(path, flag)
    return text + (f"\nFrom `{path}`, before and after `{used}`:\n\n"
                   f"{before}\n{after}")


def page():
    text = NOTE.format("`Passes.td` of each stage and the passes' tests")
    text += ("\n# Passes\n\nEvery pass that gemmac has of its own, by stage; "
             "their order in a build is in\n[architecture.md]"
             "(../architecture.md#passes). Long lines and functions are cut "
             "(…).\n")
    for stage, folder in STAGES.items():
        with open(f"{folder}/Passes.td", encoding="utf-8") as file:
            records = re.split(r"^def ", file.read(), flags=re.M)[1:]
        text += f"\n## {stage}\n"
        for record in records:
            text += "\n" + describe(re.match(r"\w+", record)[0], record, folder)
    return text
