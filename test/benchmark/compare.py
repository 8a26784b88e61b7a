#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py: a compiled model beside llama.cpp on the same GGUF, and beside
OpenVINO GenAI on that model in its own format. `APP bench`, `llama-bench` and
openvino_bench.py run in turn; prefill, decode at two depths and peak memory
become a Markdown table on standard output. Example:
  test/benchmark/compare.py --gguf model.gguf \\
    --gemmac build/release/bin/gemmac --llama-bench llama.cpp/build/bin/llama-bench"""
import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import rounds


def read_flags():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", nargs="?", type=os.path.abspath,
                        help="compiled from --gguf (default: build it)")
    parser.add_argument("--gguf", required=True, help="what both run")
    parser.add_argument("--gemmac", default="build/release/bin/gemmac",
                        help="compiler that builds the app where none is given")
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--openvino", metavar="FOLDER",
                        help="of `optimum-cli export openvino`; the Python that "
                        "runs this has openvino-genai")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--depth", type=int, default=4096,
                        help="of the second decode; 0: none")
    parser.add_argument("--save", type=Path, help="all samples, as JSON")
    flags = parser.parse_args()
    if flags.rounds < 1:
        parser.error("--rounds: expected at least 1")
    return flags


def share(shares):
    """Bytes a second of the decode against a stream read, in percent."""
    if not shares:
        return ""
    return rounds.spread([100 * part for part in shares], 0) + " %"


def line(name, ours, others, last):
    cells = [name, rounds.spread(ours)]
    for other in others:
        cells += [rounds.spread(other), *rounds.ratios(ours, other)]
    return [*cells, last]


def lines(ours, others):
    for case in ours.rows:
        for other in others:
            if case not in other.rows:
                rounds.fail(f"expected '{rounds.title(case)}' of {other.name}, "
                            f"found none")
        yield line(rounds.title(case), ours.rates(case),
                   [other.rates(case) for other in others],
                   share(ours.shares_of_read(case)))
    peaks = [[peak / 2**20 for peak in program.peaks]
             for program in (ours, *others)]
    yield line("peak resident memory, MiB", peaks[0], peaks[1:], "")


def compare(flags, app):
    ours = rounds.gemmac_program("gemmac", app)
    others = [rounds.llama_program("llama.cpp", flags.llama_bench, flags.gguf)]
    if flags.openvino:
        script = Path(__file__).with_name("openvino_bench.py")
        others.append(rounds.Program(
            "OpenVINO", [sys.executable, script, "-m", flags.openvino], []))
    cases = [rounds.shallow()]
    if flags.depth:
        cases.append(rounds.deep(flags.depth))
    before = rounds.load_average()
    rounds.run_rounds([ours, *others], cases, flags.rounds, flags.threads)
    versions = [rounds.app_version(app)]
    for other in others:
        row = next(iter(other.rows.values()))[0]
        versions.append(f"{other.name} {row.get('build_commit', 'unknown')}")
    names = [program.name for program in (ours, *others)]
    print(f"{os.path.basename(flags.gguf)}, {' and '.join(names)}\n")
    print(rounds.header("; ".join(versions), flags.rounds, flags.threads,
                        before) + "\n")
    heads = ["", "gemmac"]
    for other in others:
        heads += [other.name, "ratio of medians", "ratios of the rounds"]
    print(rounds.table([*heads, "share of stream read"], lines(ours, others)))
    if flags.save:
        flags.save.write_text(json.dumps(
            {program.name: {"rows": sum(program.rows.values(), []),
                            "peak_resident_bytes": program.peaks}
             for program in (ours, *others)}, indent=1) + "\n")


def main():
    flags = read_flags()
    if flags.app:
        return compare(flags, flags.app)
    with tempfile.TemporaryDirectory() as folder:
        app = os.path.join(folder, "app")
        rounds.build(flags.gemmac, flags.gguf, app)
        compare(flags, app)


if __name__ == "__main__":
    rounds.call(main)
