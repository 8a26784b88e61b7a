# SPDX-License-Identifier: Apache-2.0
"""Everything made from the programs' own --help: the pages gemmac.md and
app.md, man pages, completions of bash and zsh. Help is parsed once, into
Command and Flag; what help does not say is not said here either."""
import re
from dataclasses import dataclass, field

import completions
from run import NOTE, output

MODEL = "test/end-to-end/fixtures/bf16"
APP_COMMANDS = ("chat", "generate", "eval", "bench", "info")

FLAG = re.compile(
    r"  (?P<names>-\S+)"
    r"(?: (?P<kind>TEXT|INT|FLOAT)(?P<rule>:(?:\{[^}]*\}|\w+(?: in "
    r"\[[^\]]*\])?))?(?:=(?P<default>\S+))?(?: \.\.\.)?)?"
    r"(?: \(Env:(?P<variable>\w+)\))?\s*(?P<words>.*)")


@dataclass
class Flag:
    names: list
    kind: str       # None: a switch
    choices: list   # what the value may be; empty: anything
    default: str
    variable: str
    words: str


@dataclass
class Command:
    name: str       # "" for gemmac itself
    words: str
    usage: str
    text: str       # the help itself
    flags: list = field(default_factory=list)
    positionals: list = field(default_factory=list)


def joined(lines):
    """Lines with what CLI11 puts under a long flag appended to the flag."""
    whole = []
    for line in lines:
        if re.match(r" {20,}\S", line) and whole:
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    return whole


def parseFlag(line):
    found = FLAG.fullmatch(line)
    if not found:
        raise SystemExit(f"expected a flag as CLI11 prints it, found '{line}'")
    choices = re.match(r":\{(.*)\}", found["rule"] or "")
    return Flag(found["names"].split(","), found["kind"],
                choices[1].split(",") if choices else [],
                found["default"] or "", found["variable"] or "",
                found["words"])


def parse(name):
    words = ["gemmac", name, "--help"] if name else ["gemmac", "--help"]
    text = output(*words).strip() + "\n"
    lines = joined(text.splitlines())
    command = Command(name, lines[0], lines[1].removeprefix("Usage: "), text)
    for line in lines:
        if re.match(r"  -", line):
            command.flags.append(parseFlag(line))
        elif match := re.match(r"  ([A-Z]+) TEXT REQUIRED\s+(.*)", line):
            command.positionals.append(match.groups())
    return command


def gemmacPage(commands):
    text = NOTE.format("`gemmac --help`")
    text += ("\n# gemmac\n\nWhat `--help` prints. A flag with `Env:` is also "
             "that variable; the command line wins.\nExit codes: 0 done, 1 the "
             "input is wrong or unsupported, 2 wrong usage, 3 the wrong\n"
             "machine.\n")
    for command in commands:
        title = f"gemmac {command.name}".strip()
        text += f"\n## {title}\n\n```\n{command.text}```\n"
    return text


def appPage(scratch):
    app = f"{scratch}/app"
    output("gemmac", "build", "-q", MODEL, "-o", app)
    text = NOTE.format("the help of a compiled model")
    text += ("\n# A compiled model\n\nWhat the executable that `gemmac build` "
             "writes prints with `--help`, and each of its\ncommands. A flag "
             "`--top-k` is also the variable `GEMMAC_TOP_K`.\n")
    for name in ("",) + APP_COMMANDS:
        words = [app] + ([name] if name else []) + ["--help"]
        text += f"\n## app {name}".rstrip()
        text += f"\n\n```\n{output(*words).strip()}\n```\n"
    return text


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"[^\x00-\x7f]", lambda m: f"\\[u{ord(m[0]):04X}]", text)
    return re.sub(r"^([.'])", r"\\&\1", text)


def manFlag(flag):
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in flag.names)
    value = f" \\fI{'|'.join(flag.choices) or flag.kind}\\fR" if flag.kind \
        else ""
    words = roff(flag.words) + "."
    if flag.default:
        words += f"\nDefault: {roff(flag.default)}."
    if flag.variable:
        words += f"\nVariable: {roff(flag.variable)}."
    return f".TP\n{names}{value}\n{words}\n"


def manPage(command, others):
    title = "-".join(filter(None, ["gemmac", command.name]))
    version = output("gemmac", "--version").strip()
    text = f'.\\" Made by docs/reference/generate.py from gemmac --help.\n'
    text += f'.TH {title.upper()} 1 "" "{version}" "gemmac"\n'
    text += f".SH NAME\n{roff(title)} \\- {roff(command.words)}\n"
    usage = roff(command.usage.removeprefix("gemmac"))
    text += f".SH SYNOPSIS\n\\fBgemmac\\fR{usage}\n"
    for name, words in command.positionals:
        text += f".TP\n\\fI{name}\\fR\n{roff(words)}.\n"
    if not command.name:
        text += ".SH COMMANDS\n"
        for other in others:
            text += (f".TP\n\\fBgemmac {other.name}\\fR\n{roff(other.words)}. "
                     f"See \\fBgemmac\\-{other.name}\\fR(1).\n")
    text += ".SH OPTIONS\n" + "".join(manFlag(f) for f in command.flags)
    text += (".SH EXIT STATUS\n0 done, 1 the input is wrong or unsupported, 2 "
             "wrong usage, 3 the wrong machine.\n.SH SEE ALSO\n")
    names = sorted(f"gemmac-{o.name}" if o.name else "gemmac"
                   for o in others if o.name != command.name)
    text += ", ".join(f"\\fB{roff(name)}\\fR(1)" for name in names) + "\n"
    return text


def files(scratch):
    """Path -> text."""
    root = parse("")
    names = re.findall(r"^  ([a-z]+)\s{2,}",
                       root.text.partition("Subcommands:")[2], re.M)
    commands = [parse(name) for name in names]
    made = {"docs/reference/gemmac.md": gemmacPage([root] + commands),
            "docs/reference/app.md": appPage(scratch),
            "docs/man/gemmac.1": manPage(root, commands)}
    for command in commands:
        made[f"docs/man/gemmac-{command.name}.1"] = manPage(
            command, [root] + commands)
    made["share/bash-completion/completions/gemmac"] = completions.bash(
        root, commands)
    made["share/zsh/site-functions/_gemmac"] = completions.zsh(root, commands)
    return made
