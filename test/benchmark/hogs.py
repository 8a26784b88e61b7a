#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hogs.py: decoding beside busy processes, ours and llama.cpp's in turn, each
quiet and then beside --hogs loops that want a processor each; prints how much
slower each became and how far its worst run lies below its median. Example:
  test/benchmark/hogs.py app --gguf model.gguf --llama-bench llama-bench"""
import argparse
import contextlib
import os
import statistics
import subprocess
import sys

import rounds


def read_flags():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", type=os.path.abspath, help="compiled from --gguf")
    parser.add_argument("--gguf", required=True, help="what both run")
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--hogs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


@contextlib.contextmanager
def busy(count):
    loop = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(loop) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def programs(flags, name):
    return [rounds.gemmac_program(f"gemmac {name}", flags.app),
            rounds.llama_program(f"llama.cpp {name}", flags.llama_bench,
                                 flags.gguf)]


def lines(quiet, loaded):
    for alone, beside in zip(quiet, loaded):
        case, = alone.rows
        a, b = alone.rates(case), beside.rates(case)
        slowdown = statistics.median(a) / statistics.median(b)
        yield [alone.name.split()[0], rounds.spread(a), rounds.spread(b),
               f"{slowdown:.2f}", f"{min(b) / statistics.median(b):.2f}"]


def main():
    flags = read_flags()
    quiet, loaded = programs(flags, "alone"), programs(flags, "beside hogs")
    before = rounds.load_average()
    for number in range(flags.rounds):
        print(f"round {number + 1}/{flags.rounds}", file=sys.stderr)
        for alone, beside in zip(quiet, loaded):
            alone.measure([rounds.deep(0)], flags.threads)
            with busy(flags.hogs):
                beside.measure([rounds.deep(0)], flags.threads)
    print(rounds.header(rounds.app_version(flags.app), flags.rounds,
                        flags.threads, before) + "\n")
    print(rounds.table(["decode 32", "alone", f"beside {flags.hogs} hogs",
                        "slowdown", "worst / median"], lines(quiet, loaded)))


if __name__ == "__main__":
    rounds.call(main)
