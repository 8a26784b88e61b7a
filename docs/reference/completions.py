# SPDX-License-Identifier: Apache-2.0
"""Completions of gemmac for bash and zsh: commands, flags, and values where
they are known. Everything else completes to a file."""
import re

from run import output


def passNames(stages):
    names = []
    for stage in stages:
        with open(f"compiler/{stage}/Passes.td", encoding="utf-8") as file:
            names += re.findall(r'"gemmac-([\w-]+)"', file.read())
    return sorted(names)


def valuesOf(flag):
    """What may follow a flag; None: a file; empty: nothing to offer."""
    name = flag.names[-1]
    if flag.choices:
        return flag.choices
    if name == "--target":
        return ["native"] + re.findall(r"^[* ] (\S+) +\S",
                                       output("gemmac", "targets"), re.M)[:-1]
    if name == "--disable-pass":
        return passNames(["fusion"])
    if name == "--mlir-print-ir-after":
        return passNames(["fusion", "quantization", "lowering"])
    return [] if flag.kind == "INT" or name in ("--cpu", "--mattr") else None


def bash(root, commands):
    lines = ["# bash completion of gemmac, made by docs/reference/generate.py.",
             "_gemmac() {",
             "  local word=${COMP_WORDS[COMP_CWORD]}",
             "  local before=${COMP_WORDS[COMP_CWORD - 1]}",
             "  # bash makes three words of --flag=value.",
             '  [ "$word" = "=" ] && word=',
             '  [ "$before" = "=" ] && before=${COMP_WORDS[COMP_CWORD - 2]}',
             "  local values= flags=",
             "  case ${COMP_WORDS[1]}:$before in"]
    for command in commands:
        for flag in command.flags:
            if flag.kind and valuesOf(flag) is not None:
                names = "|".join(f"{command.name}:{n}" for n in flag.names)
                lines.append(f"    {names})")
                lines.append(f"      values='{' '.join(valuesOf(flag))}'")
                lines.append('      COMPREPLY=($(compgen -W "$values" -- '
                             '"$word"))')
                lines.append("      return ;;")
    lines += ["  esac", "  case ${COMP_WORDS[1]} in"]
    for command in commands:
        flags = " ".join(n for f in command.flags for n in f.names)
        lines.append(f"    {command.name}) flags='{flags}' ;;")
    flags = " ".join([c.name for c in commands] +
                     [n for f in root.flags for n in f.names])
    lines += [f"    *) [ $COMP_CWORD = 1 ] && flags='{flags}' ;;", "  esac",
              '  if [ $COMP_CWORD = 1 ] || [[ $word == -* ]]; then',
              '    COMPREPLY=($(compgen -W "$flags" -- "$word"))',
              "  else",
              '    COMPREPLY=($(compgen -f -- "$word"))',
              "  fi",
              "}",
              "complete -o filenames -F _gemmac gemmac"]
    return "\n".join(lines) + "\n"


def zshWords(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


def zshFlag(flag):
    value = ""
    if flag.kind:
        known = valuesOf(flag)
        action = "_files" if known is None else f"({' '.join(known)})" \
            if known else " "
        value = f":{flag.kind.lower()}:{action}"
    names = flag.names
    # A long flag takes its value after = or as the next word.
    words = [f"{n}{'=' if value and n.startswith('--') else ''}"
             for n in names]
    others = f"({' '.join(names)})" if len(names) > 1 else ""
    shown = "{" + ",".join(words) + "}" if len(words) > 1 else words[0]
    spec = f"'[{zshWords(flag.words)}]{value}'"
    return f"'{others}'{shown}{spec}" if others else f"'{shown}{spec[1:]}"


def zsh(root, commands):
    lines = ["#compdef gemmac",
             "# zsh completion of gemmac, made by docs/reference/generate.py.",
             "_gemmac() {", "  local line state", "  _arguments -C \\"]
    lines += [f"    {zshFlag(flag)} \\" for flag in root.flags]
    lines += ["    '1:command:->command' \\", "    '*::argument:->argument'",
              "  case $state in", "    command)", "      local -a commands=("]
    lines += [f"        '{c.name}:{zshWords(c.words)}'" for c in commands]
    lines += ["      )", "      _describe command commands ;;",
              "    argument)", "      case $line[1] in"]
    for command in commands:
        specs = [zshFlag(flag) for flag in command.flags]
        specs += [f"'1:{zshWords(words)}:_files'"
                  for _, words in command.positionals]
        lines.append(f"        {command.name})")
        lines.append("          _arguments \\")
        lines += [f"            {spec} \\" for spec in specs[:-1]]
        lines.append(f"            {specs[-1]} ;;")
    lines += ["      esac ;;", "  esac", "}", '_gemmac "$@"']
    return "\n".join(lines) + "\n"
