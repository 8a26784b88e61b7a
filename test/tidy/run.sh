#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--junit FILE]: the checks of the tree itself, each a few seconds at
# most: who may include whom, a same-named test for every pass, no file over
# 600 lines, clang-format, documents that name what is there. Exits 1 when one
# fails.
set -uo pipefail
cd "$(dirname "$0")/../.."

junit=/dev/null
[ "${1:-}" = --junit ] && junit=$2
# New files count before git knows them, deleted ones no more.
sources=$(git ls-files -co --exclude-standard '*.cpp' '*.h' |
  grep -v '^third_party/' | xargs ls 2>/dev/null)

# compiler -> targets -> dialects; stages never include each other; runtime
# includes none of them; ModelAbi.h is the one header that both sides read.
layering() {
  local bad
  bad=$(
    grep -nE '#include "(compiler|targets)/' $(grep '^dialects/' <<<"$sources")
    grep -nE '#include "compiler/' $(grep '^targets/' <<<"$sources")
    grep -nE '#include "(compiler|targets|dialects|mlir|llvm)/' \
      $(grep '^runtime/' <<<"$sources")
    grep -nE '#include "runtime/' \
      $(grep -E '^(compiler|targets|dialects)/' <<<"$sources") |
      grep -v 'runtime/include/gemma/ModelAbi.h"'
    for stage in importer fusion quantization lowering packaging; do
      grep -nE "#include \"compiler/(importer|fusion|quantization|lowering|packaging)/" \
        $(grep "^compiler/$stage/" <<<"$sources") /dev/null |
        grep -v "#include \"compiler/$stage/"
    done
    for target in $(ls -d targets/*/ | xargs -n1 basename | grep -v cpu); do
      grep -nE '#include "targets/' $(grep "^targets/$target/" <<<"$sources") /dev/null |
        grep -vE "#include \"targets/($target|cpu|Target|Architecture)"
    done
  )
  [ -z "$bad" ] || { echo "$bad"; return 1; }
}

# FuseRope.cpp has fuse-rope.mlir.
pass_tests() {
  local bad=0 file name
  for file in $(grep -l 'GEN_PASS_DEF_' $sources); do
    name=$(basename "$file" .cpp |
      sed -E 's/([a-z0-9])([A-Z])/\1-\2/g' | tr '[:upper:]' '[:lower:]')
    [ -n "$(find test -name "$name.mlir")" ] ||
      { echo "$file has no test named $name.mlir"; bad=1; }
  done
  return $bad
}

file_length() {
  local long
  long=$(wc -l $sources | awk '$1 > 600 && $2 != "total"')
  [ -z "$long" ] || { echo "over 600 lines: $long"; return 1; }
}

format() { clang-format-22 --dry-run --Werror $sources 2>&1 | grep error | head -20; [ "${PIPESTATUS[0]}" -eq 0 ]; }

docs() { python3 test/tidy/docs.py; }

status=0
{
  echo '<testsuite name="tidy">'
  for check in layering pass_tests file_length format docs; do
    if output=$("$check" 2>&1); then
      echo "<testcase classname=\"tidy\" name=\"$check\"/>"
    else
      status=1
      printf 'tidy: %s failed\n%s\n' "$check" "$output" >&2
      echo "<testcase classname=\"tidy\" name=\"$check\"><failure/></testcase>"
    fi
  done
  echo '</testsuite>'
} >"$junit"
exit $status
