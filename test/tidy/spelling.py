# SPDX-License-Identifier: Apache-2.0
"""spelling.py: one spelling a word, in documents and comments.

British: normalise, vectoriser, neighbour, a licence. A word that is a name of
this field or of a tool stays as there: quantize, tokenizer, AddressSanitizer.
Reads what documents have outside of code, comments, docstrings and the texts of
.td files; no strings and no identifiers.
"""
import re

import tree

IZE = ("canonical", "capital", "general", "initial", "maxim", "minim",
       "normal", "optim", "organ", "parallel", "penal", "random", "recogn",
       "sanit", "serial", "special", "synchron", "util", "vector")
ISE = ("quant", "token")
PAIRS = {"analyze": "analyse", "artifact": "artefact", "behavior": "behaviour",
         "canceled": "cancelled", "canceling": "cancelling",
         "center": "centre", "centered": "centred", "centering": "centring",
         "color": "colour", "favor": "favour", "gray": "grey",
         "labeled": "labelled", "license": "licence", "modeled": "modelled",
         "neighbor": "neighbour"}
# Names: parts of tokenizer.json, clang's tools, C++.
NAMES = ("normalizer", "sanitizer", "serializer", "initializer_list")

ENDING = r"(e|es|ed|ing|er|ers|able|ation|ations)"
# A word beside a dot, a dash or a bracket is a name: size(), gemma.normalize.
WORD = r"(?<![\w.:/`'<$%@-])([A-Za-z][a-z]+)(?![\w(/`'>]|[.:-]\w)"
Z = re.compile(rf"((?:un|re|de)?(?:{'|'.join(IZE)}))iz{ENDING}")
S = re.compile(rf"((?:de|re)?(?:{'|'.join(ISE)}))is{ENDING}")


def british(word):
    """The word as it must be, in small letters."""
    small = word.lower()
    if small.removesuffix("s") in NAMES:
        return small
    if found := Z.fullmatch(small):
        return f"{found[1]}is{found[2]}"
    if found := S.fullmatch(small):
        return f"{found[1]}iz{found[2]}"
    for stem in small, *re.findall(r"^(.*?)(?:s|ed|ing)$", small):
        if stem in PAIRS:
            return PAIRS[stem] + small[len(stem):]
    return small


def prose(path):
    """(start, end) of what is sentences in a file."""
    text = tree.read(path)
    if path.endswith(".md"):
        spans = [(0, len(text))]
    elif path.endswith(".py"):
        spans = [found.span() for found in
                 re.finditer(r'"""[^"]*"""|(?<!["\'])#[^\n]*', text)]
    elif path.endswith((".sh", ".txt", ".cmake")):
        spans = [found.span() for found in
                 re.finditer(r"^\s*#[^\n]*|\s#\s[^\n]*", text, re.M)]
    else:
        pattern = r"(?<![:\"])//[^\n]*"
        if path.endswith(".td"):
            pattern += r'|summary = "[^"]*"|description = \[\{.*?\}\]'
        spans = [found.span() for found in re.finditer(pattern, text, re.S)]
    skipped = [found.span() for found in
               re.finditer(r"```.*?```|`[^`\n]*`|\]\([^)\n]*\)", text, re.S)
               ] if path.endswith((".md", ".td")) else []
    return spans, skipped


def misspelt(path):
    """(start, end, as it must be) of each word to change."""
    text = tree.read(path)
    spans, skipped = prose(path)
    for start, end in spans:
        for word in re.compile(WORD).finditer(text, start, end):
            right = british(word[1])
            if right != word[1].lower() and \
                    not any(a <= word.start() < b for a, b in skipped):
                if word[1][0].isupper():
                    right = right[0].upper() + right[1:]
                yield word.start(), word.end(), right


def problems():
    for path in tree.listed("*.md", "*.cpp", "*.h", "*.td", "*.py", "*.sh",
                            "*.cmake", "*CMakeLists.txt"):
        text = tree.read(path)
        for start, end, right in misspelt(path):
            line = text.count("\n", 0, start) + 1
            yield f"{path}:{line}: expected {right}, found {text[start:end]}"


if __name__ == "__main__":
    tree.report(problems())
