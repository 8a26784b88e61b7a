#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds of checkpoints that are wrong (mutants.py), by a sanitised gemmac and
by one whose memory is limited. Each must end within 30 s of work with exit code 0, or
with 1 and exactly one error line, in words fit for a terminal, and leave
nothing behind. Prints the failures and "N passed, N failed"; a failing mutant
is kept. Example:
  test/full/mutations.py --asan build/asan/bin/gemmac \\
    --release build/release/bin/gemmac --only gguf_bytes"""
import argparse
import concurrent.futures
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutants import mutants

MEMORY = 6 << 30
SECONDS = 30  # of the processor, so that a busy machine is no failure
WAITING = 300


def limit_time():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def limit_memory():
    limit_time()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(command, limited, errors):
    """The exit code, or what was wrong; a sanitizer's address space is huge, so
    there the resident set is watched."""
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0",
                       UBSAN_OPTIONS="print_stacktrace=1")
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=errors, env=environment,
        preexec_fn=limit_memory if limited else limit_time)
    while True:
        try:
            return process.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
        try:
            status = Path(f"/proc/{process.pid}/statm").read_text()
            pages = int(status.split()[1])
        except (OSError, IndexError):
            pages = 0
        late = time.monotonic() - started > WAITING
        if late or pages * os.sysconf("SC_PAGE_SIZE") > MEMORY:
            process.kill()
            process.wait()
            return f"waited over {WAITING} s" if late else "took over 6 GiB"


def problem_of(name, code, text, left):
    lines = text.split(b"\n")
    if code != 0 and "right" in name.split("-"):
        return f"a checkpoint that is right: expected 0, found {code}"
    errors = sum(line.startswith(b"error: ") for line in lines)
    if code in (-9, -24):
        return f"ran over {SECONDS} s"
    if code not in (0, 1):
        return f"expected exit code 0 or 1, found {code}"
    if errors != code:
        return f"exit code {code}: expected {code} error lines, found {errors}"
    if any(byte < 0x20 and byte != 0x0A or byte == 0x7F for byte in text):
        return "control characters among the words"
    if b"Sanitizer" in text or b"runtime error" in text:
        return "a sanitizer's report"
    if code and left:
        return f"left behind: {left}"
    return None


def check(number, name, make, options):
    """The problems of one mutant, each with the command that shows it."""
    problems = []
    keep = options.keep / name
    shutil.rmtree(keep, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        work = Path(work)
        (work / "in").mkdir()
        (work / "out").mkdir()
        checkpoint = make(work / "in")
        for flavour, commands in commands_of(number, checkpoint, work, options):
            for command in commands:
                with open(work / "errors", "w+b") as errors:
                    code = run(command, flavour == "release", errors)
                    errors.seek(0)
                    text = errors.read()
                left = sorted(os.listdir(work / "out"))
                problem = problem_of(name, code, text, left)
                if problem:
                    words = " ".join(map(str, command))
                    shown = text[-3000:].decode(errors="replace")
                    problems.append(f"{problem}\n  {words}\n{shown}")
                shutil.rmtree(work / "out")
                (work / "out").mkdir()
        if problems:
            shutil.move(work / "in", keep)
            problems = [p.replace(str(work / "in"), str(keep))
                        for p in problems]
    return name, problems


def commands_of(number, checkpoint, work, options):
    """All read the checkpoint; code and weights follow in their shares."""
    for flavour in ("asan", "release"):
        gemmac = getattr(options, flavour)
        if not gemmac:
            continue
        build = [gemmac, "build", "-q", checkpoint, "-o", work / "out" / "app"]
        every = 10 if flavour == "asan" else 2
        if number >= 8 and number % every:  # the first ones are right
            build += ["--stop-after", "lowering"]
        commands = [build]
        if number % 10 == 0:
            commands.append([gemmac, "inspect", checkpoint])
        yield flavour, commands


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asan")
    parser.add_argument("--release")
    parser.add_argument("--only", default="", help="names that contain this")
    parser.add_argument("--part", default="0/1", help="every Nth: K/N")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, default=Path("build/mutants"))
    options = parser.parse_args()
    if not options.asan and not options.release:
        parser.error("expected --asan or --release")
    options.keep = options.keep.absolute()
    options.keep.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    chosen = [(i, *mutant) for i, mutant in enumerate(mutants(options.scale))
              if options.only in mutant[0] and i % parts == part]
    failed = 0
    with tempfile.TemporaryDirectory() as options.work, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, problems in pool.map(lambda m: check(*m, options), chosen):
            failed += bool(problems)
            for problem in problems:
                print(f"failed: {name}: {problem}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed > 0 or not chosen


if __name__ == "__main__":
    sys.exit(main())
