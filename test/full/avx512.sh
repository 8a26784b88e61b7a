#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# avx512.sh [BUILD [TARGET]]: runs emitted AVX-512 or AMX code: executables of
# every fixture and format, and of the real model where GEMMAC_TEST_MODEL or
# build/models has it, whose logits must have the bits of the AVX2 executables
# (EndToEndTest holds those against Hugging Face); and the kernels' unit tests.
# BUILD is a build folder (default build/dev), TARGET x86_64-avx512 (the default)
# or x86_64-amx. Ends with "N passed, N failed"; exits 1 on a failure, 77 where
# nothing can run the target's code.
#
# Needs AVX2 here, busybox-static, and the target's instructions or in their
# place the Bochs that run-in-bochs.sh describes, as BOCHS or in PATH. With Bochs
# it takes about half an hour. AVX512_UNITS: a GoogleTest filter in place of the
# target's tests, AVX512_FIXTURES: a pattern of fixtures in place of '*'.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
bin=$(cd "${1:-$source/build/dev}/bin" && pwd)
target=${2:-x86_64-avx512}
model=$(realpath -m \
  "${GEMMAC_TEST_MODEL:-$source/build/models/gemma-3-270m.gguf}")
units=${AVX512_UNITS:-*${target#x86_64-}*}
quants=(f32 bf16 keep int8 int4)
# --chunk and -t, flag of /proc/cpuinfo, and what tells a Bochs that will do.
case $target in
  x86_64-avx512)
    feedings=("1 1" "7 2" "512 1") flag=avx512_vnni mark=tigerlake
    ;;
  x86_64-amx)  # tiles from 16 rows on
    feedings=("7 2" "20 2" "512 1") flag=amx_int8 mark=MSR_IA32_XFD_ERR
    export BOCHS_CPU=sapphire_rapids
    ;;
  *)
    echo "expected target x86_64-avx512 or x86_64-amx, found $target" >&2
    exit 1
    ;;
esac
export BOCHS_MEMORY=${BOCHS_MEMORY:-2048} BOCHS_TIMEOUT=${BOCHS_TIMEOUT:-7200}

native=0
! grep -qw "$flag" /proc/cpuinfo || native=1
bochs=$(command -v "${BOCHS:-bochs}" || true)
if ((!native)) && ! grep -qs "$mark" "$bochs"; then
  echo "expected $flag or a Bochs that emulates it, found neither"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check APP TOKENS CHUNK THREADS: a line of output. For any POSIX shell.
writeCheck() {
  cat <<'END_OF_CHECK'
command -v cmp >log || cmp() { ./busybox cmp "$@"; }
check() {
  if ./$1 eval --tokens $2 --chunk $3 -t $4 --logits logits.npy >log 2>&1 &&
      cmp logits.npy $1.npy >log 2>&1; then
    echo "passed: $1 --chunk $3 -t $4"
  else
    read -r reason <log
    echo "failed: $1 --chunk $3 -t $4: $reason"
  fi
}
END_OF_CHECK
}

# addCase NAME CHECKPOINT QUANT [OPTIONS...]: an executable, the logits to expect
# of it for NAME.json, and its checks.
addCase() {
  local app=$1-$3 feeding
  "$bin/gemmac" build "$2" -q --quant "${@:3}" --target "$target" -o "$app"
  "$bin/gemmac" build "$2" -q --quant "${@:3}" --target x86_64-avx2 -o judge
  ./judge eval --tokens "$1.json" --logits "$app.npy" >judge.log
  files+=("$app" "$app.npy")
  for feeding in "${feedings[@]}"; do
    echo "check $app $1.json $feeding" >>cases
  done
}

# All fixtures, and the real model where there is one. Sets files to what the
# script `cases` needs.
makeCases() {
  local folder name checkpoint quant
  writeCheck >cases
  files=(cases)
  for folder in "$source"/test/end-to-end/fixtures/${AVX512_FIXTURES:-*}; do
    name=$(basename "$folder")
    checkpoint=$folder
    [[ ! -f $folder/model.gguf ]] || checkpoint=$folder/model.gguf
    cp "$folder/tokens.json" "$name.json"
    files+=("$name.json")
    for quant in "${quants[@]}"; do addCase "$name" "$checkpoint" "$quant"; done
  done
  [[ -s $model ]] || return 0
  python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["prompt_ids"])' \
    <"$source/test/end-to-end/real-greedy.json" >real.json
  files+=(real.json)
  addCase real "$model" keep --ctx-size 512
}

# Runs PROGRAM ARGS..., which find the files in their working directory.
runThere() {
  local options=() file
  if ((native)); then
    "$@"
  else
    for file in "${files[@]}"; do options+=(--file "$file"); done
    "$source/test/support/run-in-bochs.sh" "$@" "${options[@]}"
  fi
}

# A dynamic program: in Bochs its loader is what runs, on its libraries.
runUnits() {
  local program=$bin/TargetsTest loader
  if ((native)); then
    "$program" --gtest_filter="$units"
    return
  fi
  loader=$(ldd "$program" | awk '$1 ~ "ld-linux" { print $1 }')
  mapfile -t files < <(ldd "$program" | awk '$3 ~ "^/" { print $3 }')
  files+=("$program")
  runThere "$loader" --library-path . ./TargetsTest --gtest_filter="$units"
}

# A machine that dies shows as lines that are missing.
makeCases
expected=$(grep -c '^check ' cases)
runThere /bin/busybox sh cases | tee log.cases || true
names=$("$bin/TargetsTest" --gtest_filter="$units" --gtest_list_tests)
expected=$((expected + $(grep -c '^  ' <<<"$names" || true)))
runUnits | tee log.units || true
passed=$(cat log.cases log.units | grep -cE '^(passed: |\[       OK \])' || true)
echo "$passed passed, $((expected - passed)) failed"
((passed == expected))
