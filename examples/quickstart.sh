#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to an answer: installs what is needed, builds gemmac, fetches the
# real Gemma 3 270M, compiles it to one executable and asks it something.
set -euo pipefail
cd "$(dirname "$0")/.."

examples/install-dependencies.sh
cmake --preset release >/dev/null
# The tests, half of what there is to compile, are built by who wants them.
cmake --build --preset release --target gemmac gemmac-opt gemmac-lsp-server
model=build/models/gemma-3-270m.gguf
examples/fetch-model.sh "$model"
build/release/bin/gemmac build "$model" -o build/gemma-3-270m

echo "--- build/gemma-3-270m generate -p 'The capital of France is' ---"
build/gemma-3-270m generate -p 'The capital of France is' -n 48 --greedy
echo
echo "Now try: build/gemma-3-270m        (chat; this base model continues text
better than it chats: it was not tuned for instructions)"
