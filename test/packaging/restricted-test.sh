#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# restricted-test.sh GEMMAC CHECKPOINT RESTRICT: a build and its executable start
# no program, make no process and open no socket (RESTRICT kills what does), and
# where this system gives mount namespaces all is read-only but the output's
# folder, so that a temporary file anywhere else is an error.
set -euo pipefail

gemmac=$(realpath "$1") checkpoint=$(realpath "$2") restrict=$(realpath "$3")
fail() { echo "$*"; exit 1; }

# The rules themselves: a process that starts another is killed by SIGSYS (31).
"$restrict" /bin/true && code=0 || code=$?
[[ $code != 77 ]] || exit 77
[[ $code = 0 ]] || fail "expected true to run, found exit code $code"
code=$( ("$restrict" /bin/sh -c '/bin/true; exit 0'; echo $?) 2>/dev/null)
[[ $code = $((128 + 31)) ]] || fail "expected SIGSYS (159), found $code"

if [[ -z ${INNER:-} ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export INNER=$work
  if unshare -Urm sh -c 'mount -t tmpfs none /mnt' 2>/dev/null; then
    NAMESPACE=own unshare -Urm "$0" "$@"
  else
    echo "no mount namespaces here: folders stay writable"
    "$0" "$@"
  fi
  exit
fi

# A mount of its own stays writable where the file systems around it do not. In
# a namespace of our own only: elsewhere this would shut the whole system.
mkdir "$INNER/output"
if [[ ${NAMESPACE:-} = own ]]; then
  mount --bind "$INNER/output" "$INNER/output"
  findmnt -rno TARGET | while read -r place; do
    [[ $place = "$INNER/output" ]] ||
      mount -o remount,bind,ro "$place" 2>/dev/null || true
  done
  ! touch "$INNER/elsewhere" 2>/dev/null ||
    echo "this system lets no mount be shut: folders stay writable"
fi
cd "$INNER/output"
TMPDIR=$INNER "$restrict" "$gemmac" build -q "$checkpoint" -o app
[[ $(ls -A) = app ]] || fail "expected app alone, found $(ls -A)"
echo '[2,5,9,14]' >ids.json
"$restrict" ./app eval --tokens ids.json -t 2 --json >found.json
grep -q perplexity found.json || fail "expected a perplexity"
[[ $(ls -A) = $'app\nfound.json\nids.json' ]] || fail "found $(ls -A)"
"$restrict" ./app bench -p 8 -n 4 -r 1 -t 2 >/dev/null
echo "restricted build and run: fine"
