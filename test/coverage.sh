#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh: builds the preset coverage, runs the unit and lit tests without the
# real model, and prints which share of its lines each room has run. What runs
# inside of compiled models is not counted: they are made of archives that count
# nothing. The lines themselves, as pages: build/coverage/html.
set -euo pipefail
cd "$(dirname "$0")/.."

llvm=/usr/lib/llvm-22/bin
build=$PWD/build/coverage
cmake --preset coverage >/dev/null
cmake --build --preset coverage
rm -rf "$build/profiles"
# A few files a program, which its runs add up in: lit starts some thousand.
export LLVM_PROFILE_FILE=$build/profiles/%4m.profraw
export GEMMAC_TEST_MODEL=/nonexistent
failed=0
ctest --test-dir "$build" -E '^lit$' -j2 --timeout 1800 --output-on-failure -Q ||
  failed=1
PATH=$llvm:$PATH lit-22 -q "$build/test" || failed=1

"$llvm/llvm-profdata" merge -sparse -o "$build/all.profdata" \
  "$build"/profiles/*.profraw
programs=()
for program in "$build"/bin/*; do programs+=(-object "$program"); done
report() {  # SUBCOMMAND FLAG...
  "$llvm/llvm-cov" "$1" "${programs[@]}" -instr-profile="$build/all.profdata" \
    -ignore-filename-regex='/build/|/third_party/|/test/|^/usr/' "${@:2}"
}
report show -format=html -output-dir="$build/html" >/dev/null
report export -summary-only | python3 -c '
import collections, json, os, sys
rooms = collections.defaultdict(lambda: [0, 0])
for file in json.load(sys.stdin)["data"][0]["files"]:
    parts = os.path.relpath(file["filename"]).split("/")
    lines = file["summary"]["lines"]
    for room in "/".join(parts[:2]) if len(parts) > 2 else parts[0], "all":
        rooms[room][0] += lines["covered"]
        rooms[room][1] += lines["count"]
for room, (covered, count) in sorted(rooms.items()):
    print(f"{room:24} {100 * covered / count:5.1f} % of {count} lines")
'
[ "$failed" -eq 0 ] || echo "some tests failed: see above" >&2
exit $failed
