#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install-test.sh BUILD_DIR CHECKPOINT: installs a build, moves what was
# installed, hides the build tree, and builds and runs a model from there. The
# bytes must be those that the build tree's gemmac makes. Exits 77 where this
# system gives no mount namespace to hide the tree in.
set -euo pipefail

build=$1 checkpoint=$2
if ! unshare -Urm true 2>/dev/null; then
  echo "skipped: no user and mount namespaces here"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >"$work/log"
mv "$work/first" "$work/moved"
for file in bin/gemmac bin/gemmac-opt include/gemma/ModelAbi.h \
  share/doc/gemmac/LICENSE lib/gemmac/x86_64/libgemma_runtime.a; do
  [[ -f $work/moved/$file ]] || { echo "not installed: $file"; exit 1; }
done
# The same tree under a link in a folder of programs, as package managers do.
mkdir "$work/links"
ln -s ../moved/bin/gemmac "$work/links/gemmac"

"$build/bin/gemmac" build -q "$checkpoint" -o "$work/expected"
hidden='mount -t tmpfs none "$0" && [ ! -e "$0/bin" ] && exec env -i "$@"'
for gemmac in moved/bin/gemmac links/gemmac; do
  unshare -Urm sh -c "$hidden" "$build" \
    "$work/$gemmac" build -q "$checkpoint" -o "$work/app"
  cmp "$work/app" "$work/expected"
  unshare -Urm sh -c "$hidden" "$build" "$work/app" info --verify
  rm "$work/app"
done

# Without its parts beside it, gemmac says what is missing and writes nothing.
rm "$work/moved/lib/gemmac/x86_64/libc.a"
code=0
"$work/moved/bin/gemmac" build -q "$checkpoint" -o "$work/app" 2>"$work/errors" ||
  code=$?
[[ $code = 1 && ! -e $work/app ]]
grep -q "^error: .*'libc.a'.*not completely installed" "$work/errors"
