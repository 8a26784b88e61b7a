#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hard-times-test.sh GEMMAC CHECKPOINT: disks that are full at every moment of a
# build, folders and files that must not be written or read, paths that are
# folders. Each time: exit 1, one line that names the file and the reason, and
# nothing left behind. Exits 77 where this system gives no mount namespace.
set -euo pipefail

gemmac=$(realpath "$1") checkpoint=$(realpath "$2")
if [[ -z ${GEMMAC_HARD_TIMES:-} ]]; then
  if ! unshare -Urm sh -c 'mount -t tmpfs none /mnt' 2>/dev/null; then
    echo "skipped: no user and mount namespaces here"
    exit 77
  fi
  export GEMMAC_HARD_TIMES=1
  exec unshare -Urm "$0" "$gemmac" "$checkpoint"
fi

work=$(mktemp -d)
disk=$work/disk
mkdir "$disk"
trap 'umount "$disk" 2>/dev/null || true; chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
fail() { echo "$name: $1"; cat "$work/errors"; ls -lAR "$disk"; exit 1; }

# Root may write anywhere; without these capabilities it is a user like others.
as_user() {
  setpriv --bounding-set=-dac_override,-dac_read_search "$@"
}

# refused NAME FOLDER 'PATTERN' COMMAND...: fails as it should, and FOLDER holds
# afterwards what it held before.
refused() {
  local folder=$2 pattern=$3 before code=0
  name=$1
  shift 3
  before=$(ls -A "$folder")
  "$@" 2>"$work/errors" >"$work/output" || code=$?
  [[ $code = 1 ]] || fail "expected exit code 1, found $code"
  [[ $(grep -c '^error: ' "$work/errors") = 1 ]] || fail "expected one error"
  grep -q "^error: .*$pattern" "$work/errors" || fail "expected '$pattern'"
  [[ $(ls -A "$folder") = "$before" ]] || fail "something is left behind"
  cases=$((cases + 1))
}
cases=0

# A disk of every size from nothing to enough, for each kind of output.
full='No space left on device'
for emit in exe object asm mlir llvm; do
  "$gemmac" build -q "$checkpoint" --emit $emit -o "$work/whole"
  need=$((($(stat -c %s "$work/whole") + 4095) / 4096))
  for share in 0 5 40 95; do
    pages=$((need * share / 100 + 1))
    [[ $pages -lt $need ]] || continue
    mount -t tmpfs -o nr_blocks=$pages none "$disk"
    refused "$emit on $pages of $need pages" "$disk" "$disk/.*$full" \
      "$gemmac" build -q "$checkpoint" --emit $emit -o "$disk/app"
    # An older file stays what it was.
    echo old >"$disk/app" 2>/dev/null || true
    cp "$disk/app" "$work/old"
    refused "$emit over a file on $pages pages" "$disk" "$disk/.*$full" \
      "$gemmac" build -q "$checkpoint" --emit $emit -o "$disk/app"
    cmp -s "$disk/app" "$work/old" || fail "the old file changed"
    umount "$disk"
  done
done
mount -t tmpfs -o nr_blocks=1 none "$disk"
refused "IR on a full disk" "$disk" "$disk/.*$full" \
  "$gemmac" build -q "$checkpoint" --stop-after lowering -o "$disk/ir"
refused "standard output" "$disk" "standard output.*$full" \
  sh -c '"$@" >/dev/full' - "$gemmac" build -q "$checkpoint" \
  --stop-after lowering
refused "a report" "$disk" "$disk/report.*$full" \
  sh -c 'head -c 4096 /dev/zero >"$0/fill"; "$@"; c=$?; rm "$0/fill"; exit $c' \
  "$disk" "$gemmac" build -q "$checkpoint" -o "$work/reported" \
  --pass-report "$disk/report"
umount "$disk"

mount -t tmpfs -o ro none "$disk"
refused "a read-only disk" "$disk" "$disk/app.*Read-only file system" \
  "$gemmac" build -q "$checkpoint" -o "$disk/app"
umount "$disk"

chmod 500 "$disk"
refused "a folder without permission" "$disk" "$disk/app.*Permission denied" \
  as_user "$gemmac" build -q "$checkpoint" -o "$disk/app"
chmod 700 "$disk"
mkdir "$disk/folder"
refused "the output is a folder" "$disk" "$disk/folder.*directory" \
  "$gemmac" build -q "$checkpoint" -o "$disk/folder"
refused "no such folder" "$disk" "$disk/none/app.*No such file or directory" \
  "$gemmac" build -q "$checkpoint" -o "$disk/none/app"
refused "a file for a folder" "$disk" "whole/app.*Not a directory" \
  "$gemmac" build -q "$checkpoint" -o "$work/whole/app"

# What is to be read cannot be.
cp -r "$checkpoint" "$work/model"
chmod -R u+rwX "$work/model"
for file in config.json model.safetensors; do
  chmod 0 "$work/model/$file"
  refused "$file without permission" "$disk" "$file.*[Pp]ermission denied" \
    as_user "$gemmac" build -q "$work/model" -o "$disk/app"
  chmod 600 "$work/model/$file"
done
chmod 0 "$work/model"
refused "a checkpoint without permission" "$disk" "model.*ermission denied" \
  as_user "$gemmac" build -q "$work/model" -o "$disk/app"
chmod 700 "$work/model"
echo "$cases cases"
