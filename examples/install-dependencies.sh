#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what gemmac is built with, from Debian's packages. Quick when all of
# it is there. Run as root (or with sudo) on Debian 12 or later.
set -euo pipefail

packages=(
  # the compiler: MLIR and LLVM as shared libraries, LLD as a library
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools liblld-22-dev
  clang-22 lld-22 libclang-rt-22-dev clang-format-22
  # what the runtime archive and the private sysroot are made of
  g++ libc6-dev flatbuffers-compiler libflatbuffers-dev
  # libraries
  libcli11-dev nlohmann-json3-dev libxxhash-dev libgtest-dev libgmock-dev
  zlib1g-dev libzstd-dev
  # building and testing
  cmake ninja-build ccache git python3 python3-venv python3-pip qemu-user-static
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
    grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "error: need root or sudo to install: ${missing[*]}" >&2
    exit 1
  }
  run=(sudo)
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
"${run[@]}" apt-get -qq update
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get -qq install -y \
  --no-install-recommends "${missing[@]}" >/dev/null
