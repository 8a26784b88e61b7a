#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All quick tests: installs what is missing, builds once (preset dev), runs the
# GoogleTest programs, the lit tests, the tidy checks and the real model
# briefly. Ends with "N passed, N failed[, N skipped]"; exits 1 on a failure.
set -uo pipefail
cd "$(dirname "$0")/.."

examples/install-dependencies.sh || exit 1
cmake --preset dev >build-dev.log 2>&1 || { cat build-dev.log; exit 1; }
rm -f build-dev.log
cmake --build --preset dev || exit 1
export GEMMAC_TEST_MODEL=${GEMMAC_TEST_MODEL:-$PWD/build/models/gemma-3-270m.gguf}
examples/fetch-model.sh "$GEMMAC_TEST_MODEL" ||
  echo "the real model could not be fetched: its tests are skipped" >&2

log=build/dev/test-results
mkdir -p "$log"
ctest --test-dir build/dev -E '^lit$' -j2 --timeout 900 --output-on-failure \
  --output-junit "$PWD/$log/ctest.xml"
PATH=/usr/lib/llvm-22/bin:$PATH lit-22 -v --xunit-xml-output "$log/lit.xml" \
  build/dev/test
test/tidy/run.sh --junit "$log/tidy.xml"
exec python3 test/summary.py "$log"/{ctest,lit,tidy}.xml
