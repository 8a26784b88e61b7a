#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ablate.sh [FLAGS] CHECKPOINT: what each fusion pass is worth. See ablate.py.
exec python3 "$(dirname "$0")/ablate.py" "$@"
