#!/usr/bin/env python3
"""compare.py: a compiled model beside llama.cpp on the same GGUF. `APP bench`
and `llama-bench` run in turn; prefill, decode at two depths and peak memory
become a Markdown table on standard output. Example:
  test/benchmark/compare.py --gguf model.gguf \\
    --gemmac build/release/bin/gemmac --llama-bench llama.cpp/build/bin/llama-bench"""
import argparse
import json
import os
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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--depth", type=int, default=4096,
                        help="of the second decode; 0: none")
    parser.add_argument("--save", type=Path, help="all samples, as JSON")
    flags = parser.parse_args()
    if flags.rounds < 1:
        parser.error("--rounds: expected at least 1")
    return flags


def share(rows):
    """Bytes a second of the decode against a stream read, in percent."""
    if "roofline_share" not in rows[0]:
        return ""
    return rounds.spread([100 * row["roofline_share"] for row in rows], 0) + " %"


def lines(ours, other):
    for case in ours.rows:
        if case not in other.rows:
            rounds.fail(f"expected '{rounds.title(case)}' of {other.name}, "
                        f"found none")
        a, b = ours.rates(case), other.rates(case)
        yield [rounds.title(case), rounds.spread(a), rounds.spread(b),
               *rounds.ratios(a, b), share(ours.rows[case])]
    a, b = ([peak / 2**20 for peak in program.peaks]
            for program in (ours, other))
    yield ["peak resident memory, MiB", rounds.spread(a), rounds.spread(b),
           *rounds.ratios(a, b), ""]


def compare(flags, app):
    ours = rounds.gemmac_program("gemmac", app)
    other = rounds.Program("llama.cpp", [flags.llama_bench, "-m", flags.gguf],
                           ["-o", "json"])
    cases = [rounds.shallow()]
    if flags.depth:
        cases.append(rounds.deep(flags.depth))
    before = rounds.load_average()
    rounds.run_rounds([ours, other], cases, flags.rounds, flags.threads)
    commit = next(iter(other.rows.values()))[0].get("build_commit", "unknown")
    versions = f"{rounds.app_version(app)}; llama.cpp {commit}"
    print(f"{os.path.basename(flags.gguf)}, gemmac and llama.cpp\n")
    print(rounds.header(versions, flags.rounds, flags.threads, before) + "\n")
    print(rounds.table(["", "gemmac", "llama.cpp", "ratio of medians",
                        "ratios of the rounds", "share of stream read"],
                       lines(ours, other)))
    if flags.save:
        flags.save.write_text(json.dumps(
            {program.name: {"rows": sum(program.rows.values(), []),
                            "peak_resident_bytes": program.peaks}
             for program in (ours, other)}, indent=1) + "\n")


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
