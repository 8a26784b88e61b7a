# SPDX-License-Identifier: Apache-2.0
"""ablate.py, run as ablate.sh: what each fusion pass is worth. Builds the
model whole and once without each pass, runs `bench` of all in turn, and prints
a Markdown table of speed against the whole build and of code bytes. Which
passes there are the compiler says (--pass-report). Example:
  test/benchmark/ablate.sh --gemmac build/release/bin/gemmac model.gguf"""
import argparse
import os
import struct
import tempfile

import rounds


def read_flags():
    parser = argparse.ArgumentParser(
        prog="ablate.sh", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--gemmac", default="build/release/bin/gemmac")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=64)
    parser.add_argument("--folder",
                        help="where the executables stand meanwhile, one for "
                        "each pass and one more (default: the system's)")
    flags = parser.parse_args()
    if flags.rounds < 1:
        parser.error("--rounds: expected at least 1")
    return flags


def passes(flags, folder):
    """(pass, "phases before -> after") of the model, in pipeline order."""
    report = os.path.join(folder, "report")
    rounds.run([flags.gemmac, "build", "-q", flags.checkpoint,
                "--stop-after=fusion", "-o", os.path.join(folder, "ir"),
                "--pass-report", report])
    with open(report, encoding="utf-8") as file:
        lines = file.read().splitlines()[2:]  # below a sentence and the heads
    if not lines:
        rounds.fail("expected passes in the pass report, found none")
    return [(words[0], " ".join(words[1:4]))
            for words in (line.split() for line in lines)]


def code_bytes(path):
    """Of the segments that hold instructions; little-endian ELF64."""
    with open(path, "rb") as file:
        start = file.read(64)
        if start[:6] != b"\x7fELF\x02\x01":
            rounds.fail(f"{path}: expected a little-endian ELF64 file")
        offset, = struct.unpack_from("<Q", start, 32)
        size, count = struct.unpack_from("<HH", start, 54)
        file.seek(offset)
        headers = file.read(size * count)
    total = 0
    for at in range(0, len(headers), size):
        kind, access = struct.unpack_from("<II", headers, at)
        if kind == 1 and access & 1:  # PT_LOAD, PF_X
            total += struct.unpack_from("<Q", headers, at + 32)[0]
    return total


def lines(whole, without, found):
    def line(name, program, phases):
        cells = [name]
        for case in whole.rows:
            cells.append(rounds.spread(program.rates(case)))
            cells += rounds.ratios(program.paces(case), whole.paces(case)) \
                if program is not whole else ("", "")
        size = code_bytes(program.command[0])
        more = size - code_bytes(whole.command[0])
        return cells + [f"{size}" + (f" ({more:+})" if more else ""), phases]

    yield line("nothing", whole, "")
    for name, phases in found:
        if name in without:
            yield line(name, without[name], phases)
        else:
            yield [name] + ["–"] * (3 * len(whole.rows) + 1) + [phases]


def build_without(flags, folder, found):
    """The programs by pass, and what the compiler says to the passes that it
    cannot leave out: what comes behind needs them."""
    programs, refusals = {}, {}
    for name, _ in found:
        app = os.path.join(folder, name)
        try:
            rounds.build(flags.gemmac, flags.checkpoint, app,
                         f"--disable-pass={name}")
            programs[name] = rounds.gemmac_program(name, app)
        except rounds.Failed as failed:
            refusals[name] = failed.errors
    return programs, refusals


def main():
    flags = read_flags()
    with tempfile.TemporaryDirectory(dir=flags.folder) as folder:
        found = passes(flags, folder)
        app = os.path.join(folder, "whole")
        rounds.build(flags.gemmac, flags.checkpoint, app)
        whole = rounds.gemmac_program("whole", app)
        without, refusals = build_without(flags, folder, found)
        before = rounds.load_average()
        rounds.run_rounds([whole, *without.values()],
                          [rounds.shallow([flags.prompt], flags.answer)],
                          flags.rounds, flags.threads)
        print(f"{os.path.basename(flags.checkpoint)}, without one fusion\n")
        print(rounds.header(rounds.app_version(whole.command[0]), flags.rounds,
                            flags.threads, before) + "\n")
        heads = ["without"]
        for case in whole.rows:
            heads += [rounds.title(case), "ratio of medians",
                      "ratios of the rounds"]
        print(rounds.table(heads + ["code bytes", "phases before -> after it"],
                           lines(whole, without, found)))
        print("\nRatios of decode are of its share of the stream read.")
        for name, errors in refusals.items():
            print(f"\n{name} cannot be left out: {errors}")


if __name__ == "__main__":
    rounds.call(main)
