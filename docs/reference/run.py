# SPDX-License-Identifier: Apache-2.0
"""What the pages' modules share: running a program, and shortening its IR."""
import subprocess

NOTE = "<!-- Made by docs/reference/generate.py from {}: edit that. -->\n"


def output(*words, text=None):
    """Standard output of a command that must succeed."""
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}\n"
                         f"{done.stderr}")
    return done.stdout


def shorten(line, width):
    """The line, cut at a space before `width`."""
    if len(line) <= width:
        return line
    return line[:line.rindex(" ", 0, width - 1)] + " …"


def elide(lines, most):
    """At most `most` lines; the middle of more becomes one of "…"."""
    if len(lines) <= most:
        return lines
    head = most * 2 // 3
    return lines[:head] + ["  …"] + lines[head + 1 - most:]
