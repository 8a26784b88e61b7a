#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the one third-party source that Debian does not package: the LITE
# runtime of SentencePiece (encoder, decoder, schema) and darts-clone, out of
# the source distribution on PyPI. Input: the network, or a file named by
# SENTENCEPIECE_SDIST. Output: third_party/sentencepiece/ (not in git).
# Does nothing when that folder already holds this version. Installs nothing
# outside a temporary folder. Needs python3, python3-venv and python3-pip.
set -euo pipefail

version=0.2.3
sha256=21618ad31f0453a1ebf5ec58defed99758d54af0b670546ecac639ddd8b86fbd

here=$(cd "$(dirname "$0")" && pwd)
target=$here/sentencepiece
stamp=$target/.sha256

# Two builds may configure at once: the second waits, then finds the folder.
exec 9<"$here"
flock 9
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sha256" ]; then
  exit 0
fi

fail() {
  echo "error: third_party/fetch.sh: $*" >&2
  exit 1
}

# Staging lies beside the target, so that the last step is an atomic rename.
work=$(mktemp -d "$here/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The package's metadata states its licence in the form of PEP 639, which
# setuptools reads from version 77 on; pip builds that metadata even for a mere
# download. A private environment brings a new setuptools; the system keeps its.
download() {
  command -v python3 >/dev/null || fail "expected python3, found none" \
    "(apt-get install python3 python3-venv python3-pip)"
  python3 -m venv "$work/venv" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "python3 -m venv failed (apt-get install python3-venv python3-pip)"
  }
  "$work/venv/bin/pip" install --quiet 'setuptools>=77' wheel \
      >"$work/log" 2>&1 &&
    "$work/venv/bin/pip" download --quiet --no-build-isolation \
      --no-binary :all: --no-deps --dest "$work/sdist" \
      "sentencepiece==$version" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "cannot download sentencepiece $version from the package index"
  }
  archive=$work/sdist/sentencepiece-$version.tar.gz
}

archive=${SENTENCEPIECE_SDIST:-}
if [ -z "$archive" ]; then
  echo "fetching sentencepiece $version" >&2
  download
fi
[ -f "$archive" ] || fail "expected the file $archive, found none"

found=$(sha256sum "$archive" | cut -d ' ' -f 1)
[ "$found" = "$sha256" ] ||
  fail "SHA-256 of $archive: expected $sha256, found $found"

top=sentencepiece-$version/sentencepiece
mkdir "$work/unpacked"
tar -xzf "$archive" -C "$work/unpacked" --no-same-owner \
  "$top/LICENSE" \
  "$top/lite/sentencepiece_lite.cc" \
  "$top/lite/sentencepiece_lite.h" \
  "$top/lite/sentencepiece_lite.fbs" \
  "$top/third_party/darts_clone/LICENSE" \
  "$top/third_party/darts_clone/darts.h" ||
  fail "$archive lacks the expected files"

printf '%s\n' "$sha256" >"$work/unpacked/$top/.sha256"
rm -rf "$target"
mv -T "$work/unpacked/$top" "$target"
