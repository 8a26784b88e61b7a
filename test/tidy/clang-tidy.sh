#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy.sh [FOLDER...]: the checks of .clang-tidy over the sources of these
# folders (default: all), as build/dev compiles them, with its precompiled header.
# Exits 1 where one finds something, 77 where clang-tidy-22 or that build is
# missing (apt-get install clang-tidy-22). Not part of run.sh: 3 s a file.
set -uo pipefail
cd "$(dirname "$0")/../.."

command -v clang-tidy-22 >/dev/null && [ -f build/dev/compile_commands.json ] ||
  { echo "skipped: needs clang-tidy-22 and build/dev" >&2; exit 77; }
[ $# -gt 0 ] || set -- compiler dialects runtime targets
python3 - "$@" <<'P' | xargs -r -P "$(nproc)" -n 4 clang-tidy-22 -p build/dev \
  --quiet 2> >(grep -vE 'warnings? (generated|treated)') || exit 1
import json, os, sys
for entry in json.load(open("build/dev/compile_commands.json")):
    path = os.path.relpath(entry["file"])
    if any(path.startswith(folder.rstrip("/") + "/") for folder in sys.argv[1:]):
        print(path)
P
