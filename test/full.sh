#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The long tests, beyond test/run.sh: all unit, lit and end-to-end tests with a
# sanitised compiler and runtime, the runtime's threads under ThreadSanitizer,
# clang-tidy, emitted AVX-512 code, killed builds, wrong checkpoints, fuzzers, and
# the real model at length. About two and a half hours on two processors. Ends as
# run.sh does: "N passed, N failed[, N skipped]"; exits 1 on a failure.
set -uo pipefail
cd "$(dirname "$0")/.."

examples/install-dependencies.sh || exit 1
log=$PWD/build/full-results
rm -rf "$log"
mkdir -p "$log"
export GEMMAC_TEST_MODEL=${GEMMAC_TEST_MODEL:-$PWD/build/models/gemma-3-270m.gguf}
examples/fetch-model.sh "$GEMMAC_TEST_MODEL" ||
  echo "the real model could not be fetched: its tests are skipped" >&2

build() {  # PRESET
  { cmake --preset "$1" && cmake --build --preset "$1"; } >"$log/$1.log" 2>&1 ||
    { tail -40 "$log/$1.log"; return 1; }
}

# One case: check NAME COMMAND... Exit code 77 is skipped.
check() {
  local name=$1 code=0 result=''
  shift
  echo "--- $name"
  "$@" >"$log/$name.log" 2>&1 || code=$?
  case $code in
    0) ;;
    77) result='<skipped/>' ;;
    *) result='<failure/>'; tail -40 "$log/$name.log" ;;
  esac
  echo "<testsuite><testcase classname=\"full\" name=\"$name\">$result</testcase></testsuite>" \
    >"$log/$name.xml"
}

# Sanitised: all that run.sh runs, apart from tidy.
check build-asan build asan
export UBSAN_OPTIONS=print_stacktrace=1
ctest --test-dir build/asan -E '^lit$' -j2 --timeout 3600 \
  --output-on-failure --output-junit "$log/asan.xml"
PATH=/usr/lib/llvm-22/bin:$PATH lit-22 -v --xunit-xml-output "$log/asan-lit.xml" \
  build/asan/test

# What clang-tidy sees, where it is installed.
check build-dev build dev
check clang-tidy test/tidy/clang-tidy.sh

# The runtime's threads.
check build-tsan build tsan
ctest --test-dir build/tsan -j2 --timeout 1800 --output-on-failure \
  --output-junit "$log/tsan.xml"
threaded='*ThreadPool*:*Session*:*Engine*:*Generator*'
check tsan-repeated build/tsan/bin/RuntimeTest --gtest_filter="$threaded" \
  --gtest_repeat=100 --gtest_break_on_failure --gtest_brief=1

# What ships, at length.
check build-release build release
gemmac=build/release/bin/gemmac
model=$GEMMAC_TEST_MODEL
if [[ -x test/full/avx512.sh ]]; then
  check avx512 test/full/avx512.sh build/release x86_64-avx512
  check amx test/full/avx512.sh build/release x86_64-amx
fi
check kills-small test/packaging/kill-test.sh $gemmac \
  test/end-to-end/fixtures/bf16 100

# Input that nobody vouches for: wrong checkpoints, and each fuzzer 10 minutes
# from its corpus. What it finds stays in build/fuzz/findings.
check mutations test/full/mutations.py --asan build/asan/bin/gemmac \
  --release $gemmac
check build-fuzz build fuzz
fuzz() { test/fuzz/run.sh build/fuzz 600 "$@"; }
check fuzz-importer fuzz GgufFuzzer SafetensorsFuzzer
check fuzz-text fuzz TokenizerFuzzer ChatFuzzer

# 1500 tokens, again and again: the same text from any number of threads.
long_answer() {
  local app=$log/long-answer text first='' threads
  $gemmac build -q "$model" -o "$app" && "$app" info --verify || return 1
  for threads in 1 2 3 2 1; do
    text=$("$app" generate --raw -p 'The history of the world begins' \
      -n 1500 --ignore-eos --greedy -t $threads) || return 1
    first=${first:-$text}
    [[ $text = "$first" ]] || { echo "$threads threads differ"; return 1; }
  done
  [[ ${#text} -gt 1500 ]] || { echo "only ${#text} bytes"; return 1; }
  rm "$app"
}
with_model() { [[ -s $model ]] || return 77; "$@"; }
check kills with_model test/packaging/kill-test.sh $gemmac "$model" 100
check long-answer with_model long_answer
exec python3 test/summary.py "$log"/*.xml
