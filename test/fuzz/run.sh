#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD_DIR SECONDS FUZZER...: fuzzes side by side, each from its corpus,
# and learns into BUILD_DIR/corpus. Exits 1 where one finds something; what it
# found stays in BUILD_DIR/findings and shows again with
#   BUILD_DIR/bin/FUZZER BUILD_DIR/findings/FUZZER-crash-...
set -uo pipefail

build=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$build/findings"
export UBSAN_OPTIONS=print_stacktrace=1
declare -A runs
for fuzzer in "$@"; do
  name=${fuzzer%Fuzzer}
  name=${name,,}
  mkdir -p "$build/corpus/$name"
  # New inputs go to the first folder; the committed ones are only read.
  "$build/bin/$fuzzer" "$build/corpus/$name" "$here/corpus/$name" \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=20000 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$fuzzer-" \
    >"$build/findings/$fuzzer.log" 2>&1 &
  runs[$fuzzer]=$!
done
failed=0
for fuzzer in "$@"; do
  if wait "${runs[$fuzzer]}"; then
    echo "$fuzzer: $(grep -o 'stat::number_of_executed_units: .*' \
      "$build/findings/$fuzzer.log") inputs, no finding"
  else
    failed=1
    echo "$fuzzer: a finding"
    tail -50 "$build/findings/$fuzzer.log"
  fi
done
exit $failed
