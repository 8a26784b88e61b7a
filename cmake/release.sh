#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# release.sh X.Y.Z [--dry-run] [--without-tests] [--output FOLDER]: tests, builds
# and tags a release, and writes FOLDER/gemmac-X.Y.Z-linux-x86_64.tar.zst, the
# install tree (default: build). Refuses a tree with changes, a version that
# CMakeLists.txt has not, one that CHANGELOG.md says nothing of, and a tag that
# exists. --dry-run stops behind these checks and says what would follow. Pushes
# nothing.
#   LLVM is not in the archive: who unpacks it installs Debian's llvm-22 packages
# (examples/install-dependencies.sh). libc.a, libstdc++.a and libgcc.a are: who
# publishes it also says where their sources are, as their licences ask.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "error: $*" >&2; exit 1; }

version='' dry='' tests=1 output=build
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=1 ;;
    --without-tests) tests='' ;;
    --output) output=${2:?--output wants a folder}; shift ;;
    [0-9]*.[0-9]*.[0-9]*) version=$1 ;;
    *) die "expected X.Y.Z and flags, found '$1'" ;;
  esac
  shift
done
[ -n "$version" ] || die "expected a version, found none"

changes=$(git status --porcelain)
[ -z "$changes" ] || die "expected a clean tree, found changes:
$changes"
found=$(sed -n 's/^project(gemmac VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[ "$found" = "$version" ] ||
  die "expected version $version in CMakeLists.txt, found $found"
# The lines between this version's heading and the next.
notes=$(awk -v heading="## $version" '
  /^## / { inside = $0 == heading || index($0, heading " ") == 1; next }
  inside' CHANGELOG.md | grep . || true)
[ -n "$notes" ] ||
  die "expected a section '## $version' in CHANGELOG.md, found none"
tag=v$version
! git rev-parse -q --verify "refs/tags/$tag" >/dev/null ||
  die "expected no tag $tag, found one"
command -v zstd >/dev/null || die "expected the program zstd, found none"

name=gemmac-$version-linux-$(uname -m)
step() {  # COMMAND...
  echo "--- $*"
  [ -n "$dry" ] || "$@"
}

# The same tree gives the same archive: names in order, the commit's time, root.
archive() {
  mkdir -p "$output"
  tar --directory "$staging" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$(git log -1 --format=%ct)" --create "$name" |
    zstd -q -19 -T0 -f -o "$output/$name.tar.zst"
}

tag() { git tag -a "$tag" -m "gemmac $version" -m "$notes"; }

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
[ -z "$tests" ] || step test/run.sh
step cmake --preset release
step cmake --build --preset release
step cmake --install build/release --prefix "$staging/$name"
step archive
step tag
echo "${dry:+would make: }$output/$name.tar.zst and tag $tag, which" \
  "git push origin $tag publishes"
