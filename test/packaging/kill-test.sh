#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill-test.sh GEMMAC CHECKPOINT [ROUNDS]: ends builds at moments spread over
# their whole run. What stands at -o then is the old file or the whole new one;
# after SIGINT and SIGTERM nothing else is left, and what SIGKILL leaves the
# next build removes.
set -euo pipefail

gemmac=$1 checkpoint=$2 rounds=${3:-30}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "round $round, $signal after $delay s: $1"; ls -lA "$work"; exit 1; }

start=$(date +%s%N)
"$gemmac" build -q "$checkpoint" -o "$work/whole"
millis=$((($(date +%s%N) - start) / 1000000))
signals=(INT TERM KILL)
ended=0
for ((round = 0; round < rounds; ++round)); do
  signal=${signals[round % 3]}
  delay=$(awk "BEGIN { print $millis * ($round + 1) / $rounds / 1000 }")
  echo old >"$work/app"
  # A job of its own: bash has its background jobs ignore SIGINT otherwise.
  (set -m; "$gemmac" build -q "$checkpoint" -o "$work/app" & echo $! >"$work/pid"
   wait $! 2>/dev/null) >/dev/null 2>&1 &
  sleep "$delay"
  kill -"$signal" "$(cat "$work/pid")" 2>/dev/null || true
  wait $! && code=0 || code=$?
  rm -f "$work/pid"
  if [[ $code = 0 ]]; then
    cmp -s "$work/app" "$work/whole" || fail "the finished file differs"
  else
    ended=$((ended + 1))
    [[ $(head -c 4 "$work/app") = old ]] ||
      cmp -s "$work/app" "$work/whole" || fail "the output is neither file"
    [[ $signal = KILL || $(ls -A "$work") = $'app\nwhole' ]] ||
      fail "something is left behind"
  fi
done
[[ $ended -gt $((rounds / 4)) ]] || fail "only $ended builds were ended early"
"$gemmac" build -q "$checkpoint" -o "$work/app"
[[ $(ls -A "$work") = $'app\nwhole' ]] || fail "a killed build's file remains"
echo "$ended of $rounds builds were ended early"
