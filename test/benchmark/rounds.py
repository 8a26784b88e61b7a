# SPDX-License-Identifier: Apache-2.0
"""rounds.py: what compare.py and ablate.py share: programs that speak
llama-bench's JSON run in turn, round after round, so that a change of the
machine's speed meets them all; their figures become lines of Markdown tables.
Prints no table of its own. Standard library only."""
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# What separates the kinds of x86 processors here, as Linux names it.
FEATURES = ("avx2", "avx512_vnni", "avx512_bf16", "amx_int8")


def shallow(prompts=(512, 32), answer=64):
    return ["-p", ",".join(map(str, prompts)), "-n", str(answer), "-d", "0"]


def deep(depth, answer=32):
    return ["-p", "0", "-n", str(answer), "-d", str(depth)]


def title(case):
    prompt, answer, depth = case
    if prompt:
        return f"prefill {prompt}"
    return f"decode {answer}, depth {depth}"


class Program:
    """One program: its rows by case (n_prompt, n_gen, n_depth), a list of one
    row a round, and the largest resident memory of each round in bytes."""

    def __init__(self, name, command, as_json):
        self.name, self.command, self.as_json = name, command, as_json
        self.rows, self.peaks = {}, []

    def measure(self, flag_lists, threads):
        peak = 0
        for flags in flag_lists:
            command = [*self.command, *flags, "-r", "1", "-t", str(threads),
                       *self.as_json]
            text, bytes_used = run(command)
            peak = max(peak, bytes_used)
            for row in json.loads(text):
                if "avg_ts" not in row:
                    continue
                case = (row["n_prompt"], row["n_gen"], row["n_depth"])
                self.rows.setdefault(case, []).append(row)
        self.peaks.append(peak)

    def rates(self, case):
        return [row["avg_ts"] for row in self.rows[case]]

    def paces(self, case):
        """What ratios between builds of one model are made of: for decoding
        its share of the stream read of the same run, which the drift of a
        shared machine's memory moves less than its tokens a second."""
        return self.shares_of_read(case) or self.rates(case)

    def shares_of_read(self, case):
        """Of decoding; empty for a prompt, whose roofline_share is of the 8-bit
        products, and for a program that measures no stream read."""
        rows = self.rows[case]
        if not rows[0]["n_gen"] or "roofline_share" not in rows[0]:
            return []
        return [row["roofline_share"] for row in rows]


class Failed(Exception):
    """A command that did not end with exit code 0."""

    def __init__(self, words, code, errors):
        super().__init__(f"'{words}': expected exit code 0, found {code}\n"
                         f"{errors}")
        self.errors = errors


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def run(command):
    """Standard output, and the largest resident memory in bytes."""
    words = " ".join(map(str, command))
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=errors)
        except OSError as error:
            fail(f"cannot run '{command[0]}': {error.strerror}")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise Failed(words, process.returncode,
                         errors.read().decode(errors="replace").strip()[-2000:])
        return output.read().decode(), usage.ru_maxrss * 1024


def run_rounds(programs, flag_lists, rounds, threads):
    for number in range(rounds):
        # Another one first each time: the first may find a cooler processor.
        turn = number % len(programs)
        for program in programs[turn:] + programs[:turn]:
            print(f"round {number + 1}/{rounds}: {program.name}",
                  file=sys.stderr)
            program.measure(flag_lists, threads)


def spread(values, digits=1):
    """minimum / median / maximum"""
    return " / ".join(f"{value:.{digits}f}" for value in
                      (min(values), statistics.median(values), max(values)))


def ratios(ours, others):
    """Ratio of the medians, and the least and largest ratio of one round."""
    each = [a / b for a, b in zip(ours, others)]
    middle = statistics.median(ours) / statistics.median(others)
    return f"{middle:.2f}", f"{min(each):.2f} – {max(each):.2f}"


def table(heads, lines):
    text = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    text += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(text)


def processor():
    """Model and features, as far as Linux names them."""
    facts = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    name = facts.get("model name", platform.machine())
    found = facts.get("flags", facts.get("Features", "")).split()
    return name + ": " + ", ".join(
        f"{feature} {'yes' if feature in found else 'no'}"
        for feature in FEATURES)


def load_average():
    return f"{os.getloadavg()[0]:.1f}"


def header(versions, rounds, threads, load_before):
    now = datetime.datetime.now(datetime.timezone.utc)
    return "\n".join([
        f"- processor: {processor()}; {len(os.sched_getaffinity(0))} usable",
        f"- date: {now:%Y-%m-%d %H:%M} UTC",
        f"- versions: {versions}",
        f"- {rounds} rounds in turn, {threads} threads; minimum / median / "
        f"maximum, in tokens a second where no unit stands",
        f"- load average before {load_before}, after {load_average()}"])


def build(gemmac, model, output, *flags):
    run([gemmac, "build", "-q", model, "-o", output, *flags])


def app_version(app):
    """The compiler's version and the options of a compiled model."""
    facts = json.loads(run([app, "info", "--json"])[0])
    options = facts["options"]
    return (f"gemmac {facts['gemmac']} ({options['target']}, "
            f"--quant {options['quant']}, cache {options['kv']})")


def gemmac_program(name, app):
    return Program(name, [app, "bench"], ["--json"])


def llama_program(name, bench, gguf):
    return Program(name, [bench, "-m", gguf], ["-o", "json"])


def call(main):
    """Runs a program's main; a command of its that fails is its error."""
    try:
        main()
    except Failed as error:
        fail(error)
