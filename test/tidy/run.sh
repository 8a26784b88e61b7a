#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--junit FILE]: the checks of the tree itself, each a second or two:
# format is clang-format, the others are what their file CHECK.py says, and
# selftest that they find what they are for. Exits 1 when one fails.
set -uo pipefail
cd "$(dirname "$0")/../.."

junit=/dev/null
[ "${1:-}" = --junit ] && junit=$2
checks=(includes files docs ops format selftest)
# On when what they find is put right; until then: python3 test/tidy/ops.py
# checks+=(functions passes spelling)

format() {
  git ls-files -co --exclude-standard '*.cpp' '*.h' | grep -v '^third_party/' |
    xargs ls 2>/dev/null | xargs clang-format-22 --dry-run --Werror 2>&1 |
    grep -m20 error
  [ "${PIPESTATUS[3]}" -eq 0 ]
}

check() {
  if declare -F "$1" >/dev/null; then "$1"; else python3 "test/tidy/$1.py"; fi
}

status=0
{
  echo '<testsuite name="tidy">'
  for name in "${checks[@]}"; do
    if output=$(check "$name" 2>&1); then
      echo "<testcase classname=\"tidy\" name=\"$name\"/>"
    else
      status=1
      printf 'tidy: %s failed\n%s\n' "$name" "$output" >&2
      echo "<testcase classname=\"tidy\" name=\"$name\"><failure/></testcase>"
    fi
  done
  echo '</testsuite>'
} >"$junit"
exit $status
